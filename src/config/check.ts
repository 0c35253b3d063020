import { ArgumentError, SettingsError } from '../model/errors.js'
import { Problem, type Schema } from './schema.js'
import { isSecretPath, show } from './show.js'

/** Checks `input` against `schema`; a failure names the path and the value. */
export function checkSettings<T>(schema: Schema<T>, input: unknown, at = ''): T {
  return check(schema, input, at, (path, message) => new SettingsError(path, message))
}

/** As `checkSettings`, for the arguments of a method. */
export function checkArgument<T>(schema: Schema<T>, input: unknown, at: string): T {
  return check(schema, input, at, (path, message) => new ArgumentError(path, message))
}

function check<T>(
  schema: Schema<T>,
  input: unknown,
  at: string,
  fail: (path: string, message: string) => Error,
): T {
  try {
    return schema(input)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const path = [...(at === '' ? [] : [at]), ...error.path].join('.')
    const message = messageOf(error, input, path)
    throw fail(path, `${path === '' ? 'settings' : path}: ${message}`)
  }
}

function messageOf({ message, path, shows }: Problem, input: unknown, fullPath: string): string {
  switch (shows) {
    case 'complete':
      return message
    case 'unknown':
      return `${message} (${MISSPELT_SECRET.test(fullPath) ? NOT_SHOWN : got(input, path)})`
    case 'value':
      return `${message}, ${got(input, path)}`
    default:
      return shows satisfies never
  }
}

/** Below a name such as `headers` or `password` somebody may have written what must not stand in a log. */
const got = (input: unknown, path: readonly string[]): string =>
  isSecretPath(path) ? NOT_SHOWN : `got ${show(dig(input, path))}`

const NOT_SHOWN = 'its value is not shown'
/** Anywhere in a name that no setting has: `passwrd`, `api_keys`, `header`. */
const MISSPELT_SECRET = /pass|pwd|secret|token|cred|auth|keys?$|cookie|header/i

function dig(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Reflect.get(found, key)
  }
  return found
}
