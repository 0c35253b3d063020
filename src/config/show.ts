import { HIDDEN, redactText, SECRET_NAME } from '../model/redact.js'
import { shorten } from '../model/text.js'

const SHOWN_LENGTH = 80

/** A value as a message shows it: short, with secrets masked. Never throws. */
export function show(value: unknown): string {
  return shorten(inFull(value), SHOWN_LENGTH)
}

function inFull(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'symbol') return String(value)
  return asJson(value)
}

/** Parts of settings whose values may all be secrets. */
const SECRET_PARTS: ReadonlySet<string> = new Set(['headers', 'env', 'body'])

/** Whether a value at such a path, or below such a name, may be a secret. */
export const isSecretPath = (path: readonly PropertyKey[]): boolean =>
  path.some((name) => typeof name === 'string' && (SECRET_PARTS.has(name) || SECRET_NAME.test(name)))

function withoutSecrets(name: string, value: unknown): unknown {
  if (name !== '' && value !== null && value !== undefined && isSecretPath([name])) return HIDDEN
  return typeof value === 'string' ? redactText(value) : value
}

function asJson(value: unknown): string {
  try {
    // A toJSON may answer undefined, whatever the type of stringify says.
    const json: unknown = JSON.stringify(value, withoutSecrets)
    if (typeof json === 'string') return json
  } catch {
    // It has a cycle, or a toJSON that throws.
  }
  return Object.prototype.toString.call(value)
}
