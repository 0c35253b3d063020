import { describe, expect, it } from 'vitest'
import { intervalNow, isStale, overdueAfterMs, type Condition } from '../../src/rules/probe-interval.js'
import { probeOf } from '../harness/probe-of.js'

const CLEAR: Condition = { state: 'closed', lastProbeStatus: 'healthy', probeConsecutiveFailures: 0 }
const FAILING = { lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 1 } as const
const THREE_PACES = probeOf({ suspiciousIntervalMs: 1_000, downIntervalMs: 60_000 })
const QUICK_WHILE_DOWN = probeOf({ downIntervalMs: 1_000 })

describe('the interval of now', () => {
  it.each<[string, Partial<Condition>, number]>([
    ['clear', {}, 10_000],
    ['clear, never probed', { lastProbeStatus: null }, 10_000],
    ['clear, degraded', { lastProbeStatus: 'degraded' }, 10_000],
    ['suspicious, one failed', { lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 1 }, 1_000],
    // With `unhealthyAfter` above 1 the circuit has not counted it yet.
    ['suspicious, not believed', { lastProbeStatus: 'timeout' }, 1_000],
    // With `healthyAfter` above 1 the run of failures has not ended yet.
    ['suspicious, not clear yet', { probeConsecutiveFailures: 2 }, 1_000],
    ['suspicious, half-open', { state: 'half_open' }, 1_000],
    ['open', { state: 'open', lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 3 }, 60_000],
    ['open, though the probes are fine', { state: 'open' }, 60_000],
  ])('of a provider that is %s', (_, condition, intervalMs) => {
    expect(intervalNow(THREE_PACES, { ...CLEAR, ...condition })).toBe(intervalMs)
  })

  it.each(['closed', 'open', 'half_open'] as const)('is as ever where no other is set: %s', (state) => {
    const failing = { state, lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 2 } as const
    expect(intervalNow(probeOf(), failing)).toBe(10_000)
  })
})

const SECOND = 1_000
const HOUR = 3_600 * SECOND
/** The last result came at 0; the state began that many seconds later, or before. */
const seen = (condition: Partial<Condition>, stateSince: number) => ({
  ...CLEAR,
  ...condition,
  stateSince: stateSince * SECOND,
  probeAwaitedSince: 0,
})

describe('a silence of the probes is too long', () => {
  it.each<[string, ReturnType<typeof probeOf>, Partial<Condition>, number, number]>([
    ['after three intervals', probeOf(), {}, -3_600, 30],
    ['after three of its own while suspicious', THREE_PACES, FAILING, -3_600, 3],
    ['after three of its own while open', THREE_PACES, { state: 'open' }, -3_600, 180],
    [
      'not at once when it opened by a probe at a quick pace',
      THREE_PACES,
      { state: 'open', ...FAILING },
      0,
      180,
    ],
    ['not at once when it opened by calls, the last probe 1 s ago', THREE_PACES, { state: 'open' }, 1, 180],
    ['three intervals after it closed by calls, the last probe 50 s before', THREE_PACES, {}, 50, 80],
    ['three intervals after a reset, though its last probe failed', THREE_PACES, FAILING, 50, 53],
    ['three intervals after its cooldown ended', THREE_PACES, { state: 'half_open' }, 40, 43],
    ['three intervals after it opened, where those are short', QUICK_WHILE_DOWN, { state: 'open' }, 9, 12],
    ['no later than three of the longest, whatever the circuit does', THREE_PACES, {}, 179, 180],
    ['no later for transitions where there is one pace', probeOf(), { state: 'half_open' }, 29, 30],
    ['where it was overdue before it closed', THREE_PACES, {}, 500, 180],
  ])('%s', (_, probe, condition, stateSince, seconds) => {
    const snapshot = seen(condition, stateSince)
    expect(overdueAfterMs(probe, snapshot)).toBe(seconds * SECOND)
    expect(isStale(probe, snapshot, seconds * SECOND - 1)).toBe(false)
    expect(isStale(probe, snapshot, seconds * SECOND)).toBe(true)
    expect(isStale(probe, snapshot, 8 * HOUR)).toBe(true)
  })

  it('not while a pause or a mark still stands between', () => {
    const ahead = { ...seen({}, -3_600), probeAwaitedSince: HOUR }
    expect(isStale(probeOf(), ahead, HOUR - 1)).toBe(false)
    expect(isStale(probeOf(), ahead, HOUR + 30 * SECOND)).toBe(true)
  })
})
