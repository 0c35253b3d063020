import * as v from 'valibot'
import { ArgumentError, SettingsError } from '../model/errors.js'
import { UNKNOWN } from './objects.js'
import { isSecretPath, show } from './show.js'

/** Checks `input` against `schema`; a failure names the path and the value. */
export function checkSettings<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  at = '',
): v.InferOutput<S> {
  return check(schema, input, { at }, (path, message) => new SettingsError(path, message))
}

/** As `checkSettings`, for the arguments of a method. `mayShow`: values at which paths a message shows. @throws ArgumentError */
export function checkArgument<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  at: string,
  mayShow?: MayShow,
): v.InferOutput<S> {
  return check(schema, input, { at, mayShow }, (path, message) => new ArgumentError(path, message))
}

type MayShow = (path: readonly PropertyKey[]) => boolean

function check<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  {
    at,
    mayShow = (keys) => !isSecretPath(keys),
  }: { readonly at: string; readonly mayShow?: MayShow | undefined },
  fail: (path: string, message: string) => Error,
): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  // Keys are names in objects or indexes of lists: no schema looks into anything else.
  const keys = (issue.path ?? []).map(({ key }) => key as PropertyKey)
  const path = [...(at === '' ? [] : [at]), ...keys.map(String)].join('.')
  throw fail(
    path,
    `${path === '' ? 'settings' : path}: ${sentence(issue, path, mayShow(keys) ? got(input, keys) : NOT_SHOWN)}`,
  )
}

function sentence(
  { expected, message, received }: v.BaseIssue<unknown>,
  path: string,
  shown: string,
): string {
  if (expected === UNKNOWN) return `${message} (${MISSPELT_SECRET.test(path) ? NOT_SHOWN : shown})`
  return received === COMPLETE ? message : `${message}, ${shown}`
}

const got = (input: unknown, path: readonly PropertyKey[]): string => `got ${show(dig(input, path))}`

/** Below names such as `headers` or `password`: values there may be secrets, and must not stand in a log. */
const NOT_SHOWN = 'its value is not shown'
/** Parts of names that no setting has and that hint at a secret: `passwrd`, `api_keys`, `header`. */
const MISSPELT_SECRET = /pass|pwd|secret|token|cred|auth|keys?$|cookie|header/i

function dig(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Reflect.get(found, key)
  }
  return found
}

/** A fault of a value that has the right type. */
export interface Problem {
  readonly message: string
  /** Where in the value. Default: it is the value itself. */
  readonly path?: readonly PropertyKey[]
  /** True where the message shows the values already, or must not show them. */
  readonly complete?: boolean
}

/** Settings that make no sense together, at the path of one of them; the message shows their values. */
export const clash = (path: readonly string[], message: string): Problem => ({
  path,
  message,
  complete: true,
})

/** In place of the received value, in a message that is complete without it. */
const COMPLETE = ''

/** Refuses a value in which `find` finds a problem. */
export const refuse = <T>(find: (value: T) => Problem | undefined) =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    const problem = dataset.typed ? find(dataset.value) : undefined
    if (problem === undefined) return
    const { message, path = [], complete = false } = problem
    const [first, ...rest] = path.map((key) => pathItem(dataset.value, key))
    addIssue({
      message,
      path: first === undefined ? undefined : [first, ...rest],
      received: complete ? COMPLETE : undefined,
    })
  })

const pathItem = (input: unknown, key: PropertyKey): v.IssuePathItem => ({
  type: 'unknown',
  origin: 'value',
  input,
  key,
  value: undefined,
})
