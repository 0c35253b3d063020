import { DurationMeter } from './duration-meter.js'
import { ProviderMeter } from './provider-meter.js'
import { Tally } from './tally.js'

/** What one process counts while metrics are on. Those who count look whether there is one: off is free. */
export class Meters {
  readonly commands = new Durations()
  /** By kind. */
  readonly probeDurations = new Durations()
  /** From the claim of a turn to the beginning of its probe. */
  readonly probeLag = new DurationMeter()
  /** From a change in the store to this process's knowledge of it. */
  readonly propagation = new DurationMeter()
  readonly discarded = new Tally()
  /** By hook and result. */
  readonly alerts = new Tally()
  /** By the session of the provider: what was counted lives as long as that. */
  readonly #providers = new WeakMap<object, ProviderMeter>()

  of(session: object): ProviderMeter {
    let meter = this.#providers.get(session)
    if (meter === undefined) this.#providers.set(session, (meter = new ProviderMeter()))
    return meter
  }
}

/** Durations by one word of a short list, such as the name of a script. */
export class Durations {
  readonly #meters = new Map<string, DurationMeter>()

  add(name: string, ms: number): void {
    let meter = this.#meters.get(name)
    if (meter === undefined) this.#meters.set(name, (meter = new DurationMeter()))
    meter.add(ms)
  }

  entries(): readonly (readonly [string, DurationMeter])[] {
    return [...this.#meters]
  }
}
