import { maskSecrets, type Settings, type SettingsInput } from '../index.js'
import { wrongCall } from './failure.js'

/**
 * Values that are not shown, on their way out of Redis and back: `busbar export` writes `***` for them, and
 * `busbar apply` takes `***` at the same place for "as it is in Redis".
 */
const MASK = '***'

/** Whether a value of these settings is hidden by a mask. */
export const hasMasks = (settings: object): boolean =>
  textsOf(settings, '').some(([, text]) => text.includes(MASK))

/** The settings of a file with the stored values for those that were masked. @throws CliError naming the path. */
export function unmask(wanted: SettingsInput, stored: Settings | undefined, at: string): SettingsInput {
  const masked = new Map(stored === undefined ? [] : textsOf(maskSecrets(stored), ''))
  const clear = new Map(stored === undefined ? [] : textsOf(stored, ''))
  const replace = (path: string, text: string): string => {
    if (!text.includes(MASK)) return text
    const known = masked.get(path) === text ? clear.get(path) : undefined
    if (known !== undefined) return known
    throw wrongCall(
      `${at}.${path}: ${MASK} stands for the value that is in Redis, and there is none: ` +
        'give the value, or ${env:NAME}, or export it with --secrets',
    )
  }
  const parts = Object.entries(wanted).map(([key, value]: [string, unknown]) => [
    key,
    key === 'probe' ? replaceTexts(value, key, replace) : value,
  ])
  // Texts were replaced by texts.
  return Object.fromEntries(parts) as SettingsInput
}

/** Parts of a probe whose values may be masked; elsewhere `***` is a text like any other. */
const MASKABLE = /^probe\.(headers|env)\./

function replaceTexts(
  value: unknown,
  path: string,
  replace: (path: string, text: string) => string,
): unknown {
  if (typeof value === 'string') return MASKABLE.test(path) ? replace(path, value) : value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      replaceTexts(inner, `${path}.${key}`, replace),
    ]),
  )
}

/** Every maskable text, by its path. */
function textsOf(value: object, at: string): [path: string, text: string][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, string][] => {
    const path = at === '' ? key : `${at}.${key}`
    if (typeof inner === 'string') return MASKABLE.test(path) ? [[path, inner]] : []
    return typeof inner === 'object' && inner !== null ? textsOf(inner, path) : []
  })
}
