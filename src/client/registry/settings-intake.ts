import { plainKey, SettingsMemo } from '../../config/memo.js'
import { resolveSettings } from '../../config/settings.js'
import type { Settings, SettingsInput } from '../../model/settings.js'
import { LoopShare } from '../shared/loop-share.js'

/** Checks the settings that a process is given, of thousands of providers at once too, without holding its loop up. */
export class SettingsIntake {
  readonly #defaults: SettingsInput
  readonly #share = new LoopShare()
  readonly #memo = new SettingsMemo<Settings>()

  constructor(defaults: SettingsInput) {
    this.#defaults = defaults
  }

  /** The settings as they are when this is called. @throws SettingsError naming the path and the value. */
  resolve(settings: SettingsInput | undefined): Promise<Settings> {
    // Also where it is judged on the spot: a getter is read once, for the key and for the schema.
    const given = copy(settings, 0)
    return this.#share.run(() => {
      // What is copied is of the same shape.
      const make = () => resolveSettings(given as SettingsInput | undefined, this.#defaults)
      const key = plainKey(given)
      return key === undefined ? make() : this.#memo.get(key, make)
    })
  }
}

/** Deeper than any settings; what is there is an error, and may be a cycle. */
const MAX_DEPTH = 8

/** Copies lists and plain objects, so that nothing changes what waits. The rest is left to the schema as it is. */
function copy(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copied: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    // Assigned, this one name would not become a property, and the schema would not see it.
    if (key === '__proto__') Object.defineProperty(copied, key, { value: inner, enumerable: true })
    else copied[key] = copy(inner, depth + 1)
  }
  return copied
}
