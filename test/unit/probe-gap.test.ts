import { describe, expect, it } from 'vitest'
import { minGapMs } from '../../src/probes/probe-gap.js'
import { probeOf } from '../harness/probe-of.js'

const THREE_PACES = probeOf({ suspiciousIntervalMs: 2_000, downIntervalMs: 60_000 })

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
