import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { intervalNow, minGapMs, type Condition } from '../../src/probes/plan.js'

function probeOf(intervals: { suspiciousIntervalMs?: number; downIntervalMs?: number } = {}) {
  const probe = { kind: 'tcp' as const, host: 'localhost', port: 1, intervalMs: 10_000, ...intervals }
  const resolved = resolveSettings({ probe }).probe
  if (resolved === undefined) throw new Error('the probe was not taken')
  return resolved
}

const CLEAR: Condition = { state: 'closed', lastProbeStatus: 'healthy', probeConsecutiveFailures: 0 }
const THREE_PACES = probeOf({ suspiciousIntervalMs: 2_000, downIntervalMs: 60_000 })

describe('the interval of now', () => {
  it.each<[string, Partial<Condition>, number]>([
    ['clear', {}, 10_000],
    ['clear, never probed', { lastProbeStatus: null }, 10_000],
    ['clear, degraded', { lastProbeStatus: 'degraded' }, 10_000],
    ['suspicious, one failed', { lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 1 }, 2_000],
    // With `unhealthyAfter` above 1 the circuit has not counted it yet.
    ['suspicious, not believed', { lastProbeStatus: 'timeout' }, 2_000],
    // With `healthyAfter` above 1 the run of failures has not ended yet.
    ['suspicious, not clear yet', { probeConsecutiveFailures: 2 }, 2_000],
    ['suspicious, half-open', { state: 'half_open' }, 2_000],
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

describe('the least gap between two probes', () => {
  it('is 0.6 of the interval of now', () => {
    expect(minGapMs(probeOf(), 10_000)).toBe(6_000)
    expect(minGapMs(probeOf({ downIntervalMs: 60_000 }), 60_000)).toBe(36_000)
  })

  it('is that of a suspicious provider where a failed call may bring a probe', () => {
    expect(minGapMs(THREE_PACES, 10_000)).toBe(1_200)
    expect(minGapMs(THREE_PACES, 60_000)).toBe(1_200)
  })
})
