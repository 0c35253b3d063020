import type { z } from 'zod'
import { ArgumentError, SettingsError } from '../model/errors.js'
import { isSecretPath, show } from './show.js'

/** Checks `input` against `schema`; a failure names the path and the value. */
export function checkSettings<S extends z.ZodType>(schema: S, input: unknown, at = ''): z.output<S> {
  return check(schema, input, at, (path, message) => new SettingsError(path, message))
}

/** As `checkSettings`, for the arguments of a method. */
export function checkArgument<S extends z.ZodType>(schema: S, input: unknown, at: string): z.output<S> {
  return check(schema, input, at, (path, message) => new ArgumentError(path, message))
}

function check<S extends z.ZodType>(
  schema: S,
  input: unknown,
  at: string,
  fail: (path: string, message: string) => Error,
): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue === undefined) throw fail(at, `${at}: not accepted`)
  if (issue.code === 'unrecognized_keys') {
    const found = [...issue.path, issue.keys[0] ?? '']
    const path = join(at, found)
    const shown = MISSPELT_SECRET.test(path) ? NOT_SHOWN : got(input, found)
    throw fail(path, `${path}: unknown setting (${shown})`)
  }
  const path = join(at, issue.path)
  const complete = issue.code === 'custom' && issue.params?.['complete'] === true
  const shown = complete ? '' : `, ${got(input, issue.path)}`
  throw fail(path, `${path === '' ? 'settings' : path}: ${issue.message}${shown}`)
}

/** Below a name such as `headers` or `password` somebody may have written what must not stand in a log. */
const got = (input: unknown, path: readonly PropertyKey[]): string =>
  isSecretPath(path) ? NOT_SHOWN : `got ${show(dig(input, path))}`

const NOT_SHOWN = 'its value is not shown'
/** Anywhere in a name that no setting has: `passwrd`, `api_keys`, `header`. */
const MISSPELT_SECRET = /pass|pwd|secret|token|cred|auth|keys?$|cookie|header/i

/** Marks an issue whose message shows the values already, or must not show them. */
export const COMPLETE = { params: { complete: true } } as const

const join = (at: string, path: readonly PropertyKey[]): string =>
  [...(at === '' ? [] : [at]), ...path.map(String)].join('.')

function dig(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Reflect.get(found, key)
  }
  return found
}
