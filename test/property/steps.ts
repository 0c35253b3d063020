import fc from 'fast-check'
import { HEALTH_STATUSES, MARKS, OUTCOMES } from '../../src/model/words.js'

/** What a person says to a command, and whether it comes in time. */
export interface Said {
  readonly reason: string
  readonly actor: string
  readonly late: boolean
}

/** Moments at which something changes: `rateAge` is that from which on a rate is judged. */
export type Border = 'retry' | 'lease' | 'window' | 'rateWindow' | 'rateAge' | 'throttle' | 'mark' | 'ramp'

/** What can be done to a provider, before it is known what state it will be in. */
export type Step =
  | {
      readonly do: 'record'
      readonly outcome: (typeof OUTCOMES)[number]
      readonly count: number
      readonly older: boolean
      readonly late: boolean
      readonly detail: string
    }
  /** A batch of one of several processes, and what it says of its own run; and a time after it. */
  | {
      readonly do: 'report'
      readonly who: number
      readonly outcome: (typeof OUTCOMES)[number]
      readonly count: number
      readonly own: { readonly failures: number; readonly sinceMs: number }
      readonly waitMs: number
    }
  /** Several processes, one after the other, of which each has failed for long. */
  | { readonly do: 'outbreak'; readonly whose: readonly number[]; readonly sinceMs: number }
  /** Calls, a time in which the window may mature, and bad calls. */
  | {
      readonly do: 'burst'
      readonly good: number
      readonly waitMs: number
      readonly bad: 'unhealthy' | 'degraded' | 'timeout'
      readonly count: number
    }
  | { readonly do: 'batch'; readonly outcomes: readonly (typeof OUTCOMES)[number][] }
  /** The first batch after an outage. `off`: whether the last write came just before the store was lost, or just after. */
  | {
      readonly do: 'return'
      readonly outageMs: number
      readonly off: number
      readonly outcomes: readonly (typeof OUTCOMES)[number][]
      readonly agesMs: readonly number[]
      readonly duplicate: boolean
    }
  | { readonly do: 'resend'; readonly forgotten: boolean }
  | { readonly do: 'admit'; readonly leaseMs: number; readonly late: boolean; readonly again: boolean }
  /** A trial of one process fails, and after the cooldown one of another asks for the next, so long after it began. */
  | { readonly do: 'retrial'; readonly who: number; readonly next: number; readonly tenths: number }
  | { readonly do: 'settle'; readonly pick: number; readonly outcome: (typeof OUTCOMES)[number] }
  | { readonly do: 'probe'; readonly minGapMs: number; readonly leaseMs: number }
  | {
      readonly do: 'probed'
      readonly pick: number
      readonly outcome: (typeof HEALTH_STATUSES)[number]
      readonly detail: string
    }
  | { readonly do: 'heartbeat'; readonly progress: number | null }
  | { readonly do: 'overdue'; readonly overdueMs: number }
  | { readonly do: 'look' }
  | { readonly do: 'view' }
  | { readonly do: 'reset' | 'resume'; readonly said: Said }
  | { readonly do: 'markEnd' }
  | { readonly do: 'trip'; readonly forMs: number | null; readonly said: Said }
  | {
      readonly do: 'mark'
      readonly mark: (typeof MARKS)[number]
      readonly forMs: number | null
      readonly said: Said
    }
  /** `said`: by hand; null: by code. */
  | {
      readonly do: 'settings'
      readonly failureThreshold: number | null
      readonly successThreshold: number
      /** Whether the rate window gets twice its width. */
      readonly wide: boolean
      readonly said: Said | null
    }
  | { readonly do: 'release'; readonly said: Said }
  | { readonly do: 'wait'; readonly ms: number }
  /** To a border: one ms before it, on it, or one after. */
  | {
      readonly do: 'waitFor'
      readonly what: Border
      readonly off: number
    }
  | { readonly do: 'clockBack'; readonly ms: number }

const outcome = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('healthy' as const, 'unhealthy' as const) },
  { weight: 4, arbitrary: fc.constantFrom(...OUTCOMES) },
)
const pick = fc.nat(7)
const maybeMs = fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: null })

/** Texts may be empty, or longer than a small hash keeps. */
const LONG = 'a sentence that is longer than the sixty-four bytes of a value in a small hash'
const said: fc.Arbitrary<Said> = fc.record({
  reason: fc.constantFrom('', 'a test', LONG),
  actor: fc.constantFrom('', 'tester'),
  late: fc.constantFrom(false, false, false, false, false, true),
})
const detail = fc.constantFrom('', 'HTTP 503', LONG)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      outcome,
      count: fc.constantFrom(1, 1, 1, 2, 5, 30),
      older: fc.constantFrom(false, false, false, true),
      late: fc.constantFrom(false, false, false, false, false, false, false, true),
      detail,
    }),
  },
  {
    weight: 22,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      who: fc.nat(5),
      outcome: fc.constantFrom(
        'healthy' as const,
        'healthy' as const,
        'unhealthy' as const,
        'unhealthy' as const,
        'timeout' as const,
        'degraded' as const,
      ),
      count: fc.constantFrom(1, 1, 5, 20),
      own: fc.record({
        failures: fc.constantFrom(1, 4, 5, 5, 19, 20),
        sinceMs: fc.constantFrom(0, 999, 1_000, 1_300, 6_000),
      }),
      waitMs: fc.constantFrom(0, 0, 100, 1_100, 1_101, 5_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('outbreak' as const),
      whose: fc.constantFrom([0, 1, 3], [1, 3, 0], [4, 1, 0], [1, 2, 3], [0, 5, 1]),
      sinceMs: fc.constantFrom(1_099, 1_100, 1_101, 2_300, 4_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      good: fc.constantFrom(1, 3, 10),
      waitMs: fc.constantFrom(1_000, 1_000, 2_000, 3_000),
      bad: fc.constantFrom('unhealthy' as const, 'degraded' as const, 'timeout' as const),
      count: fc.constantFrom(4, 10, 25),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      outcomes: fc.array(outcome, { minLength: 2, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('return' as const),
      outageMs: fc.constantFrom(2, 40, 300, 70_000),
      off: fc.constantFrom(-1, 0, 1),
      outcomes: fc.array(outcome, { maxLength: 4 }),
      agesMs: fc.array(fc.constantFrom(0, 1, 40, 300, 70_000), { minLength: 4, maxLength: 4 }),
      duplicate: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resend' as const), forgotten: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      leaseMs: fc.constantFrom(0, 0, 700),
      late: fc.constantFrom(false, false, false, false, false, false, true),
      again: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('retrial' as const),
      who: fc.nat(5),
      next: fc.nat(5),
      tenths: fc.constantFrom(0, 0.99, 1),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('settle' as const), pick, outcome }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('probe' as const),
      minGapMs: fc.constantFrom(0, 50),
      leaseMs: fc.constantFrom(0, 0, 500),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('probed' as const),
      pick,
      outcome: fc.constantFrom(...HEALTH_STATUSES),
      detail,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('reset' as const, 'reset' as const, 'resume' as const),
      said,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('view' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('markEnd' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('heartbeat' as const),
      progress: fc.constantFrom(null, null, 0, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('overdue' as const), overdueMs: fc.constantFrom(1, 300, 3_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trip' as const), forMs: maybeMs, said }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('mark' as const),
      mark: fc.constantFrom(...MARKS),
      forMs: maybeMs,
      said,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('settings' as const),
      failureThreshold: fc.constantFrom<(number | null)[]>(1, 2, 3, 4, 50, null),
      successThreshold: fc.integer({ min: 1, max: 3 }),
      wide: fc.boolean(),
      said: fc.option(said, { nil: null, freq: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), said }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 4, 5, 6, 40, 300, 1_000, 1_300, 2_500, 2_500, 15_000, 30_000),
    }),
  },
  {
    weight: 15,
    arbitrary: fc.record({
      do: fc.constant('waitFor' as const),
      what: fc.constantFrom(
        'retry' as const,
        'retry' as const,
        'retry' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'lease' as const,
        'window' as const,
        'rateWindow' as const,
        'rateAge' as const,
        'rateAge' as const,
        'throttle' as const,
        'mark' as const,
        'ramp' as const,
        'ramp' as const,
      ),
      off: fc.constantFrom(-1, 0, 0, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clockBack' as const), ms: fc.constantFrom(1, 100, 3_600_000) }),
  },
)

export const sequence = fc.record({
  breaker: fc.record({
    failureThreshold: fc.constantFrom<(number | null)[]>(1, 2, 3, 4, 50, 50, null, null),
    failureRate: fc.constantFrom(undefined, undefined, 0.5, 0.25, 0.3333, 1),
    degradedRate: fc.constantFrom(undefined, undefined, undefined, 0.6, 0.2, 1),
    minimumCalls: fc.constantFrom(2, 3, 5, 20),
    rateWindowMs: fc.constantFrom(1_000, 1_009, 10_000, 20_000),
    quorum: fc.constantFrom(1, 2, 2, 3),
    quorumGraceMs: fc.constantFrom(100, 2_000, 5_000),
    successThreshold: fc.integer({ min: 1, max: 3 }),
    halfOpenMaxTrials: fc.integer({ min: 1, max: 3 }),
    cooldownMs: fc.constantFrom(1, 100, 1_000),
    trialLeaseMs: fc.constantFrom(1, 200, 2_000),
    cooldownMultiplier: fc.constantFrom(1, 1, 2, 1.5),
    maxCooldownMs: fc.constantFrom(1_500, 600_000),
    cooldownJitter: fc.constantFrom(0, 0, 0.5),
    enforce: fc.constantFrom(true, true, true, true, false),
    recovery: fc.constantFrom('both' as const, 'both' as const, 'traffic' as const, 'probe' as const),
    // Short beside the ten minutes after which the script forgets the batch ids of an idle process, at random.
    recoveryRampMs: fc.constantFrom(0, 500, 500, 120_000),
  }),
  probe: fc.record({
    kind: fc.constant('heartbeat' as const),
    ttlMs: fc.constant(1_000),
    intervalMs: fc.constantFrom(10, 300),
    healthyAfter: fc.constantFrom(1, 1, 2, 3),
    unhealthyAfter: fc.constantFrom(1, 1, 2),
  }),
  history: fc.record({
    maxRecords: fc.constantFrom(3, 10, 100_000),
    windowMs: fc.constantFrom(1, 1_000, 60_000),
    degradationThreshold: fc.constant(0.8),
  }),
  draw: fc.constantFrom(0, 0.25, 0.999),
  steps: fc.array(step, { minLength: 45, maxLength: 75, size: 'max' }),
})
export type Sequence = typeof sequence extends fc.Arbitrary<infer T> ? T : never
