import { SettingsError } from '../model/errors.js'
import type { Settings } from '../model/settings.js'
import { DEFAULTS } from './defaults.js'
import { maskSecretsInText } from './mask.js'
import { SettingsMemo } from './memo.js'
import { resolveSettings } from './settings.js'

/** Settings as they stand in Redis: one field a setting, under the path that messages use. */
export type FlatSettings = Readonly<Record<string, string>>

export function flattenSettings(settings: Settings): FlatSettings {
  const flat: Record<string, string> = {}
  for (const [key, value] of Object.entries(settings.breaker)) flat[`breaker.${key}`] = String(value)
  for (const [key, value] of Object.entries(settings.history)) flat[`history.${key}`] = String(value)
  if (settings.slowMs !== undefined) flat['slowMs'] = String(settings.slowMs)
  if (settings.probe !== undefined) flat['probe'] = JSON.stringify(settings.probe)
  return flat
}

/**
 * The reverse. Checks again, because people write there too; what a later version added is left out, so that
 * two versions can live on one Redis.
 */
export function unflattenSettings(flat: FlatSettings): Settings {
  return memo.get(JSON.stringify(flat), () => unflatten(flat))
}

const memo = new SettingsMemo()

function unflatten(flat: FlatSettings): Settings {
  const group = (prefix: string, known: object) =>
    Object.fromEntries(
      Object.keys(known).flatMap((key) => {
        const value = flat[`${prefix}.${key}`]
        return value === undefined ? [] : [[key, parse(value)]]
      }),
    )
  return resolveSettings({
    breaker: group('breaker', DEFAULTS.breaker),
    history: group('history', DEFAULTS.history),
    slowMs: flat['slowMs'] === undefined ? undefined : Number(flat['slowMs']),
    // The schema judges what was stored; JSON.parse says nothing about its type.
    probe: flat['probe'] === undefined ? undefined : (parseProbe(flat['probe']) as never),
  })
}

/** What JSON.parse says quotes the text, which may hold a secret. */
function parseProbe(stored: string): unknown {
  try {
    return JSON.parse(stored)
  } catch {
    throw new SettingsError('probe', 'probe: what is stored is not JSON')
  }
}

/** A flag, a number, or else a word; the schema judges whether it may be one. */
function parse(value: string): number | boolean | string {
  if (value === 'true' || value === 'false') return value === 'true'
  const number = Number(value)
  return value.trim() === '' || Number.isNaN(number) ? value : number
}

/** What changed, as an event tells it: `breaker.failureThreshold=3`, old and new; empty when nothing did. */
export function diffSettings(before: FlatSettings, after: FlatSettings): { from: string; to: string } {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const changed = keys.filter((key) => before[key] !== after[key])
  const shown = changed.map((key) => showChange(key, before[key], after[key]))
  return { from: shown.map(({ from }) => from).join(' '), to: shown.map(({ to }) => to).join(' ') }
}

/** Secrets are masked: where nothing else differs, `to` says that one of them does. */
function showChange(key: string, before: string | undefined, after: string | undefined) {
  const show = (value: string | undefined) =>
    value === undefined ? '-' : key === 'probe' ? maskSecretsInText(value) : value
  const [from, to] = [show(before), show(after)]
  return { from: `${key}=${from}`, to: `${key}=${to}${from === to ? ' (a secret differs)' : ''}` }
}
