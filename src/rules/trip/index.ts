import type { BreakerSettings } from '../../model/settings.js'
import { consecutive } from './consecutive.js'
import { degradedRate, failureRate } from './rate.js'
import type { Counts, Trip, TripRule } from './rule.js'

export type { Counts } from './rule.js'

/** The trip rules; the same as in `lua/lib/trip.lua`, one file each. */
const RULES: readonly TripRule[] = [consecutive, failureRate, degradedRate]

/** The first outcome of the run at which a rule opens the circuit; of several, the rule that stands first wins. */
export function findTrip(counts: Counts, run: number, settings: BreakerSettings): Trip | undefined {
  let first: Trip | undefined
  for (const rule of RULES) {
    const trip = rule(counts, run, settings)
    if (trip !== undefined && (first === undefined || trip.at < first.at)) first = trip
  }
  return first
}
