/**
 * The border that secrets do not cross. All that leaves a process for people (a log line, an error, the output of a
 * command) goes through here once.
 *
 * Text is judged by its form: credentials in addresses, values whose names say that they are secrets, arguments of a
 * command that Redis quotes. Errors are copied with what is known to be harmless, because clients hang whole commands
 * (`ReplyError.command.args`: passwords, keys, values), requests and options on them.
 */

/** Names whose values are not shown. `lua/lib/mask.lua` has the same list. */
export const SECRET_NAME =
  /(pass(word|wd|phrase)?|pwd|secret|token|credentials?|key|auth(orization)?|sig(nature)?|cookie)$/i

export const HIDDEN = '***'

/** Up to the last `@`, because people forget to encode one in a password; but not into the next address of a list. */
const REDIS_USERINFO = /(rediss?(?:\+(?:sentinel|cluster))?:\/\/)(?:(?!,rediss?:)[^\s"'`<>()])*@/gi
/** Other addresses may have an `@` in their path. */
const USERINFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"'`<>]*@/gi
const PARAMETER = /([?&;]([A-Za-z0-9_.[\]-]+)=)([^&;#\s"'`<>)]+)/g
/** `password: 'x'`, `"password":"x"`: objects as JSON or util.inspect writes them. */
const FIELD = /(["']?\b([A-Za-z0-9_-]+)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g
/** Credentials in a header of HTTP. */
const SCHEME = /\b((?:Bearer|Basic) )[A-Za-z0-9._~+/=-]{4,}/gi
/** The arguments that Redis quotes of a command that it refuses. */
const QUOTED_ARGS = /(with args beginning with: ).*/is

const REFERENCE = /^\$\{env:\w+\}$/

/** The same text without what looks like a secret. O(length). */
export function redactText(text: string): string {
  if (!/[:=]|Bearer|Basic/i.test(text)) return text
  return text
    .replace(REDIS_USERINFO, `$1${HIDDEN}@`)
    .replace(USERINFO, `$1${HIDDEN}@`)
    .replace(PARAMETER, (all: string, head: string, name: string, value: string) =>
      isSecretName(name) && !REFERENCE.test(value) ? head + HIDDEN : all,
    )
    .replace(FIELD, (all: string, head: string, name: string, value: string) =>
      isSecretName(name) ? `${head}${value.charAt(0)}${HIDDEN}${value.charAt(0)}` : all,
    )
    .replace(SCHEME, `$1${HIDDEN}`)
    .replace(QUOTED_ARGS, `$1${HIDDEN}`)
}

const isSecretName = (name: string): boolean => SECRET_NAME.test(name) || /user(name)?$/i.test(name)

const MAX_DEPTH = 8

/**
 * The part of a thrown value that may be shown. Of an error: its class, message, stack, cause and inner errors, and its
 * own fields that are texts, numbers or flags. Never the original, and never throws. Other values come back redacted.
 */
export function redactError<T>(error: T): T {
  // A copy has the prototype of the original, so it is of the same type; other values keep theirs.
  return redactValue(error, MAX_DEPTH, new Map()) as T
}

/** The fields of a line of a log, each of them redacted. */
export function redactFields(fields: object): Record<string, unknown> {
  const seen = new Map<object, unknown>()
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      redactNamed(name, value, MAX_DEPTH, seen),
    ]),
  )
}

type Seen = Map<object, unknown>

function redactNamed(name: string, value: unknown, depth: number, seen: Seen): unknown {
  return typeof value === 'string' && SECRET_NAME.test(name) ? HIDDEN : redactValue(value, depth, seen)
}

function redactValue(value: unknown, depth: number, seen: Seen): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  if (depth === 0) return '[...]'
  try {
    if (value instanceof Error) return copyError(value, depth, seen)
    if (Array.isArray(value)) return copyList(value, depth, seen)
    const prototype: unknown = Object.getPrototypeOf(value)
    // An instance may hold a connection, or hide its parts from loggers, so only its name is shown.
    if (prototype !== Object.prototype && prototype !== null) return Object.prototype.toString.call(value)
    return copyFields(value, {}, depth, seen)
  } catch {
    return '[unreadable]' // a proxy or a getter that throws
  }
}

function copyList(list: readonly unknown[], depth: number, seen: Seen): unknown[] {
  const copy: unknown[] = []
  seen.set(list, copy)
  for (const item of list) copy.push(redactValue(item, depth - 1, seen))
  return copy
}

function copyFields(from: object, to: object, depth: number, seen: Seen): object {
  seen.set(from, to)
  for (const [name, value] of Object.entries(from) as [string, unknown][])
    Reflect.set(to, name, redactNamed(name, value, depth - 1, seen))
  return to
}

/** Fields of errors that hold other errors: of AggregateError, of ioredis. */
const ERRORS_WITHIN = ['cause', 'errors', 'lastNodeError', 'previousErrors'] as const

function copyError(error: Error, depth: number, seen: Seen): Error {
  const { message, stack }: { message: unknown; stack?: unknown } = error // what is thrown may be typed otherwise
  const copy = new Error(redactText(String(message)))
  seen.set(error, copy)
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object)
  hide(copy, 'stack', redactText(String(stack)))
  for (const name of Reflect.ownKeys(error)) {
    const value: unknown = Reflect.get(error, name)
    if (isPlain(value) && name !== 'message' && name !== 'stack')
      define(copy, error, name, redactNamed(String(name), value, depth, seen))
  }
  for (const name of ERRORS_WITHIN)
    if (Object.hasOwn(error, name)) hide(copy, name, redactValue(Reflect.get(error, name), depth - 1, seen))
  const command = commandName(Reflect.get(error, 'command'))
  if (command !== undefined) Reflect.set(copy, 'command', { name: command })
  return copy
}

const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean', 'bigint'].includes(typeof value)

/** As enumerable as it was: what a logger prints of an error is what is enumerable. */
function define(copy: Error, original: Error, name: PropertyKey, value: unknown): void {
  const { enumerable = true } = Reflect.getOwnPropertyDescriptor(original, name) ?? {}
  Object.defineProperty(copy, name, { value, enumerable, writable: true, configurable: true })
}

const hide = (copy: Error, name: string, value: unknown): unknown =>
  Object.defineProperty(copy, name, { value, enumerable: false, writable: true, configurable: true })

/** Which command failed helps; with which arguments does not. */
function commandName(command: unknown): string | undefined {
  const name: unknown =
    typeof command === 'object' && command !== null ? Reflect.get(command, 'name') : undefined
  return typeof name === 'string' ? name : undefined
}
