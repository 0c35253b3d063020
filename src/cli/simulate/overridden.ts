import { InvalidArgumentError } from 'commander'
import type { Settings, SettingsInput } from '../../index.js'

/** One `--set breaker.failureRate=0.5`. */
export interface Override {
  readonly path: string
  readonly value: unknown
}

const FORM = /^([A-Za-z]+(?:\.[A-Za-z]+)?)=(.+)$/

/** `null` switches a rule off; a number, `true` and `false` are what they look like, and all else is text. */
export function parseOverride(text: string, others: readonly Override[] = []): Override[] {
  const [, path, written] = FORM.exec(text) ?? []
  if (path === undefined || written === undefined)
    throw new InvalidArgumentError('Expected a setting and its value, such as breaker.failureRate=0.5.')
  return [...others, { path, value: valueOf(written) }]
}

function valueOf(written: string): unknown {
  if (written === 'null') return null
  if (written === 'true' || written === 'false') return written === 'true'
  const number = Number(written)
  return Number.isNaN(number) ? written : number
}

/** These settings with some replaced. A setting that may be absent is so where its value is null. The schema judges the rest. */
export function overridden(settings: Settings, overrides: readonly Override[]): SettingsInput {
  const result: Record<string, unknown> = {
    ...settings,
    breaker: { ...settings.breaker },
    history: { ...settings.history },
  }
  for (const { path, value } of overrides) {
    const [group = '', name] = path.split('.')
    const holder = name === undefined ? result : result[group]
    const key = name ?? group
    const given = value === null && key !== 'failureThreshold' ? undefined : value
    // A group that there is none of is for the schema to refuse, by its name.
    if (typeof holder === 'object' && holder !== null) Reflect.set(holder, key, given)
    else result[group] = { [key]: given }
  }
  // Each part is judged when the settings are resolved.
  return result
}
