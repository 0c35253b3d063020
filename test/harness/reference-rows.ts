import type { CircuitState, HealthStatus, Provider } from '../../src/index.js'

/**
 * The third witness, beside Lua and the rules: what the reference (`health.rs`) answers, worked out by hand from
 * its text. The user of the reference holds one `CircuitBreaker` and one `HealthHistory`:
 *
 * - `success` tells both: `record_success()` and `record(Healthy)`; `failure`: `record_failure()` and
 *   `record(Unhealthy)`; `reset` and a wait in ms are what they say;
 * - `record` tells the history alone, so rows that use it say nothing of the circuit: the reference does not
 *   join the two.
 *
 * Waits within a window are at least a 200th of it, and no row asks for `len()` of a history that only grew old:
 * there Busbar means to differ (a run has one time, and readers leave out what is stale).
 */
export type Action =
  'success' | 'failure' | 'reset' | { readonly waitMs: number } | { readonly record: HealthStatus }

export interface WitnessRow {
  /** The function or the test of the reference that the row is read from. */
  readonly why: string
  readonly breaker?: { failureThreshold?: number; cooldownMs?: number; successThreshold?: number }
  readonly history?: { maxRecords: number; windowMs: number }
  readonly actions: readonly Action[]
  readonly circuit?: {
    readonly state: CircuitState
    readonly failures: number
    readonly successes: number
    readonly allows: boolean
  }
  readonly rate: number
  /** `assess(0.8)`, or with another threshold. */
  readonly assess: HealthStatus
  readonly threshold?: number
  /** `len()`. */
  readonly size?: number
}

const times = <A extends Action>(count: number, action: A): A[] => Array.from({ length: count }, () => action)
const wait = (waitMs: number) => ({ waitMs })
const record = (status: HealthStatus) => ({ record: status })

const ONE = { failureThreshold: 1, cooldownMs: 100, successThreshold: 1 }
const TWO_SUCCESSES = { ...ONE, successThreshold: 2 }

export const WITNESS_ROWS: readonly WitnessRow[] = [
  {
    why: 'new(): closed, both counters 0; success_rate(): no data = assume healthy',
    actions: [],
    circuit: { state: 'closed', failures: 0, successes: 0, allows: true },
    rate: 1,
    assess: 'healthy',
    size: 0,
  },
  {
    why: 'record_failure(), Closed: at failure_threshold -> Open; transition() keeps consecutive_failures',
    actions: times(3, 'failure'),
    circuit: { state: 'open', failures: 3, successes: 0, allows: false },
    rate: 0,
    assess: 'unhealthy',
    size: 3,
  },
  {
    why: 'test_circuit_breaker_success_resets_failure_count: 2 of 3 consecutive failures stay Closed',
    actions: ['failure', 'failure', 'success', 'failure', 'failure'],
    circuit: { state: 'closed', failures: 2, successes: 0, allows: true },
    rate: 0.2,
    assess: 'degraded',
    size: 5,
  },
  {
    why: 'record_failure(), Open: "Already open": counted, last_state_change stays, so the cooldown ends in time',
    breaker: ONE,
    actions: ['failure', wait(60), 'failure', wait(40)],
    circuit: { state: 'half_open', failures: 2, successes: 0, allows: true },
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'state(): elapsed() >= cooldown; a ms before it is Open',
    breaker: ONE,
    actions: ['failure', wait(99)],
    circuit: { state: 'open', failures: 1, successes: 0, allows: false },
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'state(): elapsed() >= cooldown; exactly then it is HalfOpen, and should_allow() lets the probe through',
    breaker: ONE,
    actions: ['failure', wait(100)],
    circuit: { state: 'half_open', failures: 1, successes: 0, allows: true },
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'record_success(), Open: "handle gracefully": zeroes the failures, counts no success, stays Open',
    breaker: ONE,
    actions: ['failure', 'success'],
    circuit: { state: 'open', failures: 0, successes: 0, allows: false },
    rate: 0.5,
    assess: 'degraded',
    size: 2,
  },
  {
    why: 'record_success(), Open: no transition(), so the cooldown counts from the opening',
    breaker: ONE,
    actions: ['failure', wait(50), 'success', wait(50)],
    circuit: { state: 'half_open', failures: 0, successes: 0, allows: true },
    rate: 0.5,
    assess: 'degraded',
  },
  {
    why: 'test_circuit_breaker_half_open_success_closes',
    breaker: ONE,
    actions: ['failure', wait(150), 'success'],
    circuit: { state: 'closed', failures: 0, successes: 0, allows: true },
    rate: 0.5,
    assess: 'degraded',
    size: 2,
  },
  {
    why: 'record_success(), HalfOpen: below success_threshold it only counts',
    breaker: TWO_SUCCESSES,
    actions: ['failure', wait(100), 'success'],
    circuit: { state: 'half_open', failures: 0, successes: 1, allows: true },
    rate: 0.5,
    assess: 'degraded',
    size: 2,
  },
  {
    why: 'record_success(), HalfOpen: at success_threshold -> Closed, consecutive_successes = 0, however late',
    breaker: TWO_SUCCESSES,
    actions: ['failure', wait(100), 'success', wait(50_000), 'success'],
    circuit: { state: 'closed', failures: 0, successes: 0, allows: true },
    rate: 2 / 3,
    assess: 'degraded',
    size: 3,
  },
  {
    why: 'test_circuit_breaker_half_open_failure_reopens',
    breaker: ONE,
    actions: ['failure', wait(150), 'failure'],
    circuit: { state: 'open', failures: 2, successes: 0, allows: false },
    rate: 0,
    assess: 'unhealthy',
    size: 2,
  },
  {
    why: 'record_failure(), HalfOpen: "back to open with fresh cooldown": not over a ms before its end',
    breaker: ONE,
    actions: ['failure', wait(150), 'failure', wait(99)],
    circuit: { state: 'open', failures: 2, successes: 0, allows: false },
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'record_failure(), HalfOpen: the fresh cooldown is as long as the first',
    breaker: ONE,
    actions: ['failure', wait(150), 'failure', wait(100)],
    circuit: { state: 'half_open', failures: 2, successes: 0, allows: true },
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'record_failure(): consecutive_successes = 0, and consecutive_failures += 1 after the successes zeroed it',
    breaker: { ...ONE, successThreshold: 3 },
    actions: ['failure', wait(100), 'success', 'success', 'failure'],
    circuit: { state: 'open', failures: 1, successes: 0, allows: false },
    rate: 0.5,
    assess: 'degraded',
    size: 4,
  },
  {
    why: 'record_failure(), HalfOpen: the next half-open begins to count successes anew',
    breaker: TWO_SUCCESSES,
    actions: ['failure', wait(100), 'success', 'failure', wait(100), 'success'],
    circuit: { state: 'half_open', failures: 0, successes: 1, allows: true },
    rate: 0.5,
    assess: 'degraded',
    size: 4,
  },
  {
    why: 'record_failure(), HalfOpen: one failure reopens, failure_threshold is not asked',
    breaker: { failureThreshold: 3, cooldownMs: 100, successThreshold: 2 },
    actions: [...times(3, 'failure'), wait(100), 'success', 'failure'],
    circuit: { state: 'open', failures: 1, successes: 0, allows: false },
    rate: 0.2,
    assess: 'degraded',
    size: 5,
  },
  {
    why: 'test_circuit_breaker_reset',
    breaker: { failureThreshold: 1 },
    actions: ['failure', 'reset'],
    circuit: { state: 'closed', failures: 0, successes: 0, allows: true },
    rate: 0,
    assess: 'unhealthy',
    size: 1,
  },
  {
    why: 'reset(): consecutive_failures = 0, in Closed too, so the threshold is counted anew',
    actions: ['failure', 'failure', 'reset', 'failure', 'failure'],
    circuit: { state: 'closed', failures: 2, successes: 0, allows: true },
    rate: 0,
    assess: 'unhealthy',
    size: 4,
  },
  {
    why: 'reset(): consecutive_successes = 0, so the next half-open needs success_threshold again',
    breaker: TWO_SUCCESSES,
    actions: ['failure', wait(100), 'success', 'reset', 'failure', wait(100), 'success'],
    circuit: { state: 'half_open', failures: 0, successes: 1, allows: true },
    rate: 0.5,
    assess: 'degraded',
    size: 4,
  },
  {
    why: 'test_health_history_mixed: 7 healthy, 3 unhealthy = 70 %; below 80 % is degraded',
    history: { maxRecords: 100, windowMs: 60_000 },
    actions: [...times(7, record('healthy')), ...times(3, record('unhealthy'))],
    rate: 0.7,
    assess: 'degraded',
    size: 10,
  },
  {
    why: 'assess(): rate >= degradation_threshold; exactly at it is Healthy',
    history: { maxRecords: 100, windowMs: 60_000 },
    actions: [...times(4, record('healthy')), record('unhealthy')],
    rate: 0.8,
    assess: 'healthy',
    size: 5,
  },
  {
    why: 'assess(): rate >= degradation_threshold comes first; 0 >= 0 is Healthy',
    history: { maxRecords: 100, windowMs: 60_000 },
    actions: times(2, record('unhealthy')),
    rate: 0,
    assess: 'healthy',
    threshold: 0,
    size: 2,
  },
  {
    why: 'success_rate(): r.status == Healthy counts, and no other status does',
    history: { maxRecords: 100, windowMs: 60_000 },
    actions: [record('healthy'), record('timeout'), record('terminated'), record('degraded')],
    rate: 0.25,
    assess: 'degraded',
    size: 4,
  },
  {
    why: 'success_rate(): degraded records are not healthy ones, so a rate of nothing but them is 0',
    history: { maxRecords: 100, windowMs: 60_000 },
    actions: times(5, record('degraded')),
    rate: 0,
    assess: 'unhealthy',
    size: 5,
  },
  {
    why: 'success_rate(): timestamp >= cutoff; a record exactly as old as the window counts',
    history: { maxRecords: 100, windowMs: 1_000 },
    actions: [record('unhealthy'), wait(1_000)],
    rate: 0,
    assess: 'unhealthy',
  },
  {
    why: 'success_rate(): older than the window it does not, and nothing is left: assume healthy',
    history: { maxRecords: 100, windowMs: 1_000 },
    actions: [record('unhealthy'), wait(1_001)],
    rate: 1,
    assess: 'healthy',
  },
  {
    why: 'record(): evict_stale() takes from the front what is older than the cutoff, and no more',
    history: { maxRecords: 100, windowMs: 1_000 },
    actions: [...times(2, record('unhealthy')), wait(600), record('timeout'), wait(600), record('healthy')],
    rate: 0.5,
    assess: 'degraded',
    size: 2,
  },
  {
    why: 'test_health_history_max_records: at capacity the oldest goes',
    history: { maxRecords: 5, windowMs: 600_000 },
    actions: times(10, record('healthy')),
    rate: 1,
    assess: 'healthy',
    size: 5,
  },
  {
    why: 'record(): pop_front() takes one record for one, so of four equal ones two stay',
    history: { maxRecords: 5, windowMs: 600_000 },
    actions: [...times(4, record('unhealthy')), ...times(3, record('healthy'))],
    rate: 0.6,
    assess: 'degraded',
    size: 5,
  },
]

/** Does what the row says to a provider of Busbar, one action after the other. */
export async function act(
  provider: Provider,
  advance: (ms: number) => Promise<void>,
  actions: readonly Action[],
): Promise<void> {
  for (const action of actions) {
    if (action === 'success') await provider.recordSuccess()
    else if (action === 'failure') await provider.recordFailure()
    else if (action === 'reset') await provider.reset()
    else if ('waitMs' in action) await advance(action.waitMs)
    else await provider.record(action.record)
  }
}

/** What Busbar answers, in the shape of the row. */
export async function answersTo(
  provider: Provider,
  row: WitnessRow,
): Promise<Omit<WitnessRow, 'why' | 'actions'>> {
  const { consecutiveFailures: failures, consecutiveSuccesses: successes } = await provider.snapshot()
  const state = await provider.state()
  const allows = await provider.shouldAllow()
  return {
    ...(row.circuit === undefined ? {} : { circuit: { state, failures, successes, allows } }),
    rate: await provider.successRate(),
    assess: await provider.assess(row.threshold ?? 0.8),
    ...(row.size === undefined ? {} : { size: await provider.historySize() }),
  }
}
