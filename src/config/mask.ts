import { SECRET_NAME } from '../model/redact.js'
import type { Settings } from '../model/settings.js'
import { maskValue } from './references.js'

/** Parts of a probe whose values may be secrets. */
const SECRET_PARTS: ReadonlySet<string> = new Set(['headers', 'env'])

/**
 * Masks settings for a screen or a log. `***` replaces values of headers, the body, user and password of a proxy, and
 * parameters of the URL whose names say that they are secrets. References to the environment stay.
 */
export function maskSecrets(settings: Settings): Settings {
  const { probe } = settings
  if (probe === undefined) return settings
  // The same keys with values of the same types: only texts were replaced by texts.
  return { ...settings, probe: JSON.parse(maskSecretsInText(JSON.stringify(probe))) as typeof probe }
}

/** A JSON string and whether a colon follows it, which makes it a name; or a brace. */
const TOKEN = /"((?:[^"\\]|\\.)*)("|$)(?=(\s*:)?)|[{}]/gs

/**
 * Masks JSON, or text around it, as an event shows settings:
 * `probe={"kind":"http","headers":{"authorization":"***"}, ...}`. The twin of `lua/lib/mask.lua`: a change is announced
 * with the same text by both stores. O(length).
 */
export function maskSecretsInText(text: string): string {
  let depth = 0
  let hiddenFrom = Infinity
  let name = ''
  return text.replace(TOKEN, (token, inner: string | undefined, quote: string, colon: string | undefined) => {
    if (inner === undefined) {
      depth += token === '{' ? 1 : -1
      if (token === '{' && SECRET_PARTS.has(name)) hiddenFrom = Math.min(hiddenFrom, depth)
      if (token === '}') name = ''
      if (depth < hiddenFrom) hiddenFrom = Infinity
      return token
    }
    if (colon !== undefined) name = inner
    else if (depth >= hiddenFrom || name === 'body') return `"${maskValue(inner)}${quote}`
    else if (name === 'proxy') return `"${maskUserinfo(inner)}${quote}`
    else if (name === 'url') return `"${maskQuery(inner)}${quote}`
    return token
  })
}

/** Masks values of parameters whose names say that they are secrets. */
const maskQuery = (url: string): string =>
  url.replace(/([?&])([^=&#?]*)=([^&#]*)/g, (all: string, before: string, name: string, value: string) =>
    SECRET_NAME.test(name) ? `${before}${name}=${maskValue(value)}` : all,
  )

/** Masks user and password, up to the last `@` before the path. */
const maskUserinfo = (url: string): string =>
  url.replace(
    /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)([^/]*)@/,
    (_all, scheme: string, userinfo: string) => `${scheme}${maskValue(userinfo)}@`,
  )
