import { SettingsError } from '../model/errors.js'
import type { UnreadSetting } from '../model/ports/store-replies.js'
import { PROBE_KINDS } from '../model/probe.js'
import { SETTING_ENTRIES, type SettingField, type SettingValue } from '../model/setting-fields.js'
import type { Settings } from '../model/settings.js'
import { maskSecretsInText } from './mask.js'
import { SettingsMemo } from './memo.js'
import { checkStored } from './settings.js'
import { show } from './show.js'

/** Settings as they stand in Redis: one field a setting, under the path that messages use. */
export type FlatSettings = Readonly<Record<string, string>>

/** The same for each setting that this version knows; null: not set. */
export type FlatFields = Readonly<Record<string, string | null>>

/** Every path that this version knows. */
const PATHS = [...SETTING_ENTRIES.map(({ path }) => path), 'probe']
const KNOWN: ReadonlySet<string> = new Set(PATHS)

/** The settings that are set. */
export function flattenSettings(settings: Settings): FlatSettings {
  const flat: Record<string, string> = {}
  for (const [path, text] of Object.entries(flatFields(settings))) if (text !== null) flat[path] = text
  return flat
}

/** Every setting that this version knows, for a store that keeps all others as they are. */
export function flatFields(settings: Settings): FlatFields {
  const flat: Record<string, string | null> = {}
  for (const { group, name, path } of SETTING_ENTRIES) {
    // The table is held to the settings by its type.
    const value = Reflect.get(group === 'top' ? settings : settings[group], name) as SettingValue | undefined
    flat[path] = value === undefined ? null : String(value)
  }
  flat['probe'] = settings.probe === undefined ? null : JSON.stringify(settings.probe)
  return flat
}

/** Stored settings as this version reads them, and those that it cannot read. */
export interface StoredSettings {
  readonly settings: Settings
  readonly unread: readonly UnreadSetting[]
}

/**
 * The reverse of `flattenSettings`. It checks again, because people and other versions write there too. Unknown settings are kept
 * apart, and a setting that cannot be read has its default, so that two versions can live on one Redis.
 */
export function unflattenSettings(flat: FlatSettings): StoredSettings {
  return memo.get(JSON.stringify(flat), () => unflatten(flat))
}

const memo = new SettingsMemo<StoredSettings>()

/** Each turn reads all settings, or finds one more that cannot be read. */
function unflatten(flat: FlatSettings): StoredSettings {
  const unread = unknownSettings(flat)
  const left = new Map(Object.entries(flat).filter(([path]) => KNOWN.has(path)))
  for (;;) {
    try {
      return { settings: checkStored(nested(left)), unread }
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      const path = PATHS.find((known) => error.path === known || error.path.startsWith(`${known}.`)) ?? ''
      const stored = left.get(path)
      if (stored === undefined) throw error
      left.delete(path)
      unread.push({ path, stored, problem: error.message })
    }
  }
}

/** Settings that a later version added. */
export const unknownSettings = (flat: FlatSettings): UnreadSetting[] =>
  Object.entries(flat)
    .filter(([path]) => !KNOWN.has(path))
    .map(([path, stored]) => ({ path, stored, problem: null }))

/** Stored settings in the form that a caller writes; the schema judges them. */
function nested(flat: ReadonlyMap<string, string>): object {
  const groups = { breaker: {}, history: {}, top: {} }
  for (const { group, name, path, field } of SETTING_ENTRIES) {
    const text = flat.get(path)
    if (text !== undefined) Reflect.set(groups[group], name, parse(field, text))
  }
  const { breaker, history, top } = groups
  const probe = flat.get('probe')
  return { breaker, history, ...top, ...(probe === undefined ? {} : { probe: parseProbe(probe) }) }
}

/** Parses JSON with a message of its own: that of JSON.parse quotes the text, which may hold a secret. */
function parseProbe(stored: string): unknown {
  let probe: unknown
  try {
    probe = JSON.parse(stored)
  } catch {
    throw new SettingsError('probe', 'probe: what is stored is not JSON')
  }
  const kind: unknown = typeof probe === 'object' && probe !== null ? Reflect.get(probe, 'kind') : undefined
  if (typeof kind !== 'string' || (PROBE_KINDS as readonly string[]).includes(kind)) return probe
  throw new SettingsError('probe', `probe: kind ${show(kind)} is not known to this version of Busbar`)
}

/** The value that a text stands for. Other text is returned as it is, for the schema to refuse. */
function parse({ type }: SettingField, text: string): SettingValue {
  switch (type) {
    case 'whole':
    case 'number': {
      if (text === 'null') return null
      const number = Number(text)
      return text.trim() === '' || Number.isNaN(number) ? text : number
    }
    case 'flag':
      return text === 'true' || text === 'false' ? text === 'true' : text
    case 'word':
      return text
    default:
      return type satisfies never
  }
}

/** The changed settings as an event shows them, `breaker.failureThreshold=3`, old and new; empty when none changed. */
export function diffSettings(before: FlatSettings, after: FlatSettings): { from: string; to: string } {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const changed = keys.filter((key) => before[key] !== after[key])
  const shown = changed.map((key) => showChange(key, before[key], after[key]))
  return { from: shown.map(({ from }) => from).join(' '), to: shown.map(({ to }) => to).join(' ') }
}

/** Masks secrets. If only a secret differs, `to` says so. */
function showChange(key: string, before: string | undefined, after: string | undefined) {
  const show = (value: string | undefined) =>
    value === undefined ? '-' : key === 'probe' ? maskSecretsInText(value) : value
  const [from, to] = [show(before), show(after)]
  return { from: `${key}=${from}`, to: `${key}=${to}${from === to ? ' (a secret differs)' : ''}` }
}
