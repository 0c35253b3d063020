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
  'opened by doubtful domains',
  'opened after the grace',
  'opened by a late witness',
  'viewed again',
  'workers seen',
] as const
/** What needs a closing by trials first, and so comes less often. */
const AFTER_CLOSING = ['opened in the ramp', 'ramp over'] as const

/** What a quorum does: rarer, for it needs several processes to say fitting things. */
const QUORUM = [
  'worker_suspected',
  'worker_cleared',
  'suspect succeeds again',
  'suspicion withdrawn',
  'suspect forgotten',
  'kept for other domains',
] as const

type Counted = (typeof TRANSITIONS | typeof QUORUM | typeof AFTER_CLOSING)[number]

/** The rule that opened a circuit, by its reason. */
const RULES: readonly (readonly [Counted, RegExp])[] = [
  ['opened by consecutive failures', /^\d+ consecutive /],
  ['opened by failure rate', /^failure rate /],
  ['opened by degraded rate', /^degraded rate /],
  ['opened by doubtful domains', /failure domains see failures alone/],
  ['opened after the grace', /^no other domain succeeded/],
  ['suspect succeeds again', /succeeds again$/],
  ['suspicion withdrawn', /fails with the others$/],
  ['suspect forgotten', /has been silent$/],
]

export class Tally {
  readonly #counts = new Map<string, number>()
  steps = 0

  count(what: Counted, n = 1): void {
    this.#add(what, n)
  }

  outcome(state: CircuitState, outcome: Outcome, n: number): void {
    this.#add(`${outcome} in ${state}`, n)
  }

  transitions(before: StoredSnapshot | null, reply: Reply): void {
    this.steps += 1
    if (reply.status !== 'ok') return
    for (const { kind, from, reason } of reply.events) {
      const rule = RULES.find(
        ([, words]) => (kind === 'opened' || kind === 'worker_cleared') && words.test(reason),
      )
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
      atLeast: leastOf(atLeast * share, share),
    })
    return [
      ...outcomes.map(row(1_000)),
      ...TRANSITIONS.map(row(500)),
      ...QUORUM.map(row(200)),
      ...AFTER_CLOSING.map(row(150)),
    ]
  }

  #add(what: string, n: number): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + n)
  }
}

/** Fewer sequences than 10 000 are allowed three standard deviations of chance. */
const leastOf = (expected: number, share: number): number =>
  Math.floor(share >= 1 ? expected : expected - 3 * Math.sqrt(expected))
