import type { ProviderEvent } from '../../src/index.js'

export interface Race {
  readonly pids: readonly number[]
  readonly cycles: number
  readonly admitted: number
  readonly refused: number
  /** Admitted while another was inside, as the callers counted themselves. */
  readonly overlaps: number
  /** Admissions without a trial, and refusals for another reason than a taken trial. */
  readonly odd: readonly object[]
  readonly events: readonly ProviderEvent[]
  readonly elapsedMs: number
}
export function trialRace(options: {
  readonly url: string
  readonly namespace: string
  readonly luaDir?: string | undefined
  readonly cycles?: number
  readonly processes?: number
}): Promise<Race>
export function describeRace(race: Race): string
export function raceHeld(race: Race): boolean
