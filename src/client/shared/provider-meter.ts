import { isCircuitOutcome, isSuccess, type Outcome, type Source } from '../../model/words.js'
import { DurationMeter } from './duration-meter.js'
import { Tally } from './tally.js'

/** What the duration of a call is told apart by. `neutral`: the outcome says nothing of the provider. */
export const CALL_RESULTS = ['success', 'failure', 'neutral'] as const
export type CallResult = (typeof CALL_RESULTS)[number]

/**
 * What one process counts of one provider while metrics are on. It is on the way of each call, so it counts in plain numbers,
 * and reads the clock for few: of each beat of the loop watch (20 ms) the first `EXACT_PER_BEAT` calls are timed, and one in
 * `SAMPLED_ONE_IN` of those beyond, which then stands for those that it follows. So all are timed up to 800 calls a second;
 * a busier provider has a sample of its durations, and every call in its counts.
 */
export class ProviderMeter {
  /** Calls that a closed circuit admitted on the spot. */
  admittedByCache = 0
  /** Calls that ended. */
  readonly outcomes = zeroes()
  readonly probes = zeroes()
  /** By source, and `true` or `false`. */
  readonly decisions = new Tally()
  readonly refusals = new Tally()
  readonly wouldRefuse = new Tally()
  readonly durations = new Map<CallResult, DurationMeter>()
  /** Calls of groups that went to another member instead: by the name of the group, and the id of that member. */
  readonly failovers = new Tally()
  /** Jobs of BullMQ that were deferred because this provider refused them: by queue. */
  readonly deferredJobs = new Tally()
  #judge: PlainCount = { plain: 0 }
  /** Those that the judge had counted when this began. */
  #plainBefore = 0
  #beat = -1
  #exact = 0
  #skipped = 0

  /** Calls that ended `healthy`. Most of them are plain successes, which the judge counts anyway. */
  get healthy(): number {
    return this.#judge.plain - this.#plainBefore + this.outcomes.healthy
  }

  countPlain(judge: PlainCount): void {
    this.#judge = judge
    this.#plainBefore = judge.plain
  }

  /**
   * A call begins that a closed circuit admitted on the spot. How many calls its duration stands for; 0: it is not timed.
   * `beat`: of the loop watch.
   */
  begin(beat: number): number {
    this.admittedByCache += 1
    if (beat !== this.#beat) {
      this.#beat = beat
      this.#exact = EXACT_PER_BEAT
    }
    if (this.#exact > 0) this.#exact -= 1
    else if (this.#skipped < SAMPLED_ONE_IN - 1) {
      this.#skipped += 1
      return 0
    }
    const weight = this.#skipped + 1
    this.#skipped = 0
    return weight
  }

  ended(outcome: Outcome): void {
    this.outcomes[outcome] += 1
  }

  took(outcome: Outcome, ms: number, weight: number): void {
    const result = resultOf(outcome)
    let durations = this.durations.get(result)
    if (durations === undefined) this.durations.set(result, (durations = new DurationMeter()))
    durations.add(ms, weight)
  }

  decided(source: Source, admitted: boolean): void {
    this.decisions.add(source, String(admitted))
  }
}

/** Plain successes of a provider in this process: `CallJudge`. */
export interface PlainCount {
  readonly plain: number
}

const zeroes = (): Record<Outcome, number> => ({
  healthy: 0,
  degraded: 0,
  unhealthy: 0,
  timeout: 0,
  terminated: 0,
  client_error: 0,
  ignored: 0,
  throttled: 0,
})

export const resultOf = (outcome: Outcome): CallResult => {
  if (!isCircuitOutcome(outcome)) return 'neutral'
  return isSuccess(outcome) ? 'success' : 'failure'
}

const EXACT_PER_BEAT = 16
const SAMPLED_ONE_IN = 64
