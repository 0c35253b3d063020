import { maskSecrets, type Settings, type SettingsInput } from '../index.js'
import { wrongCall } from './failure.js'

/**
 * Masked values on their way out of Redis and back. `busbar export` writes `***` for them, and `busbar apply` takes `***`
 * at the same place for the stored value.
 */
const MASK = '***'

/** Parts of a probe that may hold secrets; elsewhere `***` is a text like any other. */
const MAY_BE_MASKED = /^probe\.(headers\.|env\.|(url|body|proxy)$)/

/** Whether a value of these settings is hidden by a mask. */
export const hasMasks = (settings: object): boolean =>
  [...textsOf(settings)].some(([path, text]) => MAY_BE_MASKED.test(path) && text.includes(MASK))

/** The settings of a file with the stored values for those that were masked. @throws CliError naming the path. */
export function unmask(wanted: SettingsInput, stored: Settings | undefined, at: string): SettingsInput {
  const masked = stored === undefined ? new Map<string, string>() : textsOf(maskSecrets(stored))
  const clear = stored === undefined ? new Map<string, string>() : textsOf(stored)
  const replace = (path: string, text: string): string => {
    if (!MAY_BE_MASKED.test(path) || !text.includes(MASK)) return text
    const known = masked.get(path) === text ? clear.get(path) : undefined
    if (known !== undefined) return known
    throw wrongCall(
      `${at}.${path}: ${MASK} stands for the value that is in Redis, and there is none: ` +
        'give the value, or ${env:NAME}, or export it with --secrets',
    )
  }
  // Texts were replaced by texts.
  return replaceTexts(wanted, '', replace) as SettingsInput
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

function replaceTexts(
  value: unknown,
  path: string,
  replace: (path: string, text: string) => string,
): unknown {
  if (typeof value === 'string') return replace(path, value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      replaceTexts(inner, join(path, key), replace),
    ]),
  )
}

/** Every text that is not in a list, by its path. */
function textsOf(value: object, at = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const path = join(at, key)
    if (typeof inner === 'string') found.set(path, inner)
    else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      for (const [deeper, text] of textsOf(inner, path)) found.set(deeper, text)
    }
  }
  return found
}
