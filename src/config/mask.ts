import type { Settings } from '../model/settings.js'
import { maskValue } from './references.js'

/** Parts of a probe whose values may be secrets. */
const SECRET_PARTS = ['headers', 'env']

/** The same settings for a screen or a log: values of headers are `***`, references to the environment stay. */
export function maskSecrets(settings: Settings): Settings {
  const { probe } = settings
  if (probe === undefined) return settings
  const masked = Object.fromEntries(
    Object.entries(probe).map(([key, value]: [string, unknown]) => [
      key,
      SECRET_PARTS.includes(key) ? maskAll(value) : value,
    ]),
  )
  // The same keys with values of the same types: only texts were replaced by texts.
  return { ...settings, probe: masked as unknown as typeof probe }
}

function maskAll(values: unknown): unknown {
  if (typeof values !== 'object' || values === null) return values
  return Object.fromEntries(
    Object.entries(values).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' ? maskValue(value) : value,
    ]),
  )
}

/** An object of texts, as JSON, under one of the names of `SECRET_PARTS`. */
const SECRETS_AS_JSON = /"(headers|env)":(\{(?:"(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*",?)*\})/g

/** The same for settings as an event tells them: `probe={"kind":"http","headers":{"authorization":"***"}, ...}`. */
export const maskSecretsInText = (text: string): string =>
  text.replace(SECRETS_AS_JSON, (_all, name: string, values: string) => {
    const parsed: unknown = JSON.parse(values)
    return `"${name}":${JSON.stringify(maskAll(parsed))}`
  })
