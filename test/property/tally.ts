import type { Reply } from '../../src/model/ports/store-replies.js'
import type { StoredSnapshot } from '../../src/model/snapshot.js'
import { CIRCUIT_STATES, OUTCOMES, type CircuitState, type Outcome } from '../../src/model/words.js'

/** What must have happened often enough for a run of the property test to mean something. */
const TRANSITIONS = [
  'opened from closed',
  'opened from half_open',
  'half_opened from open',
  'closed from half_open',
  'reset from closed',
  'reset from open',
  'reset from half_open',
  'marked',
  'resumed',
  'throttled',
  'probe_overdue',
  'settings_changed',
  'mark without a reason',
  'by hand',
  'late by hand',
  'trip',
  'lease expiry',
  'late settle',
  'late batch',
  'failures forgotten',
  'clock back',
  'opened by consecutive failures',
  'opened by failure rate',
  'opened by degraded rate',
] as const
/** What needs a closing by trials first, and so comes less often. */
const AFTER_CLOSING = ['opened in the ramp', 'ramp over'] as const

/** The rule that opened a circuit, by its reason. */
const RULES: readonly (readonly [(typeof TRANSITIONS)[number], RegExp])[] = [
  ['opened by consecutive failures', /^\d+ consecutive /],
  ['opened by failure rate', /^failure rate /],
  ['opened by degraded rate', /^degraded rate /],
]

export class Tally {
  readonly #counts = new Map<string, number>()
  steps = 0

  count(what: (typeof TRANSITIONS | typeof AFTER_CLOSING)[number], n = 1): void {
    this.#add(what, n)
  }

  outcome(state: CircuitState, outcome: Outcome, n: number): void {
    this.#add(`${outcome} in ${state}`, n)
  }

  transitions(before: StoredSnapshot | null, reply: Reply): void {
    this.steps += 1
    if (reply.status !== 'ok') return
    for (const { kind, from, reason } of reply.events) {
      const rule = kind === 'opened' ? RULES.find(([, words]) => words.test(reason)) : undefined
      if (rule !== undefined) this.count(rule[0])
      const circuit = kind === 'opened' || kind === 'half_opened' || kind === 'closed' || kind === 'reset'
      this.#add(circuit ? `${kind} from ${from}` : kind, 1)
      if (kind === 'opened' && (before?.rampForMs ?? 0) > 0) this.#add('opened in the ramp', 1)
    }
  }

  /** Every count that was asked for, and how many it should be at least for `sequences` of 10 000. */
  rows(share: number): { readonly what: string; readonly count: number; readonly atLeast: number }[] {
    const outcomes = CIRCUIT_STATES.flatMap((state) => OUTCOMES.map((outcome) => `${outcome} in ${state}`))
    const row = (atLeast: number) => (what: string) => ({
      what,
      count: this.#counts.get(what) ?? 0,
      atLeast: Math.floor(atLeast * share),
    })
    return [...outcomes.map(row(1_000)), ...TRANSITIONS.map(row(500)), ...AFTER_CLOSING.map(row(150))]
  }

  #add(what: string, n: number): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + n)
  }
}
