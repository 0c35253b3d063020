import { describe, expect, it } from 'vitest'
import type { HealthStatus } from '../../src/model/words.js'
import { follow, NO_TREND, type Thresholds } from '../../src/rules/hysteresis.js'

const GOOD = 'healthy' as const
const BAD = 'unhealthy' as const

/** Which of the results were believed, one after the other, and whether the provider is down at the end. */
function after(results: readonly HealthStatus[], thresholds: Thresholds) {
  let trend = NO_TREND
  const believed = results.map((status) => {
    const step = follow(trend, status, thresholds)
    trend = step.trend
    return step.believed
  })
  return { believed, down: trend.down }
}

describe('results of probes', () => {
  it('are all believed where one is enough', () => {
    const { believed, down } = after([GOOD, BAD, GOOD, BAD], { healthyAfter: 1, unhealthyAfter: 1 })
    expect(believed).toEqual([true, true, true, true])
    expect(down).toBe(true)
  })

  it('fall with the last of `unhealthyAfter` bad ones, and every one after it', () => {
    const { believed, down } = after([GOOD, BAD, BAD, BAD, BAD], { healthyAfter: 1, unhealthyAfter: 3 })
    expect(believed).toEqual([true, false, false, true, true])
    expect(down).toBe(true)
  })

  it('rise with the last of `healthyAfter` good ones', () => {
    const { believed, down } = after([BAD, GOOD, GOOD, GOOD], { healthyAfter: 3, unhealthyAfter: 1 })
    expect(believed).toEqual([true, false, false, true])
    expect(down).toBe(false)
  })

  it('begin to count anew with each that agrees: what flaps is never believed', () => {
    const thresholds = { healthyAfter: 2, unhealthyAfter: 2 }
    expect(after([BAD, GOOD, BAD, GOOD, BAD, GOOD], thresholds)).toEqual({
      believed: [false, true, false, true, false, true],
      down: false,
    })
    expect(after([BAD, BAD, GOOD, BAD, GOOD, BAD], thresholds)).toEqual({
      believed: [false, true, false, true, false, true],
      down: true,
    })
  })

  it.each(['unhealthy', 'timeout', 'terminated'] as const)('of the status %s are bad', (status) => {
    expect(after([status], { healthyAfter: 1, unhealthyAfter: 1 }).down).toBe(true)
  })

  it.each(['healthy', 'degraded'] as const)('of the status %s are good', (status) => {
    expect(after([BAD, status], { healthyAfter: 1, unhealthyAfter: 1 }).down).toBe(false)
  })
})
