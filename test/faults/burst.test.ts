import { expect, test } from 'vitest'
import type { HealthStatus } from '../../src/model/words.js'
import { figure } from '../harness/figure.js'
import { testFleet } from '../harness/fleet.js'
import { signalAll, worker } from './workers.js'

interface BurstActions {
  ready(): true
  burst(
    way: 'record' | 'admit',
    count: number,
  ): { sent: Partial<Record<HealthStatus, number>>; elapsedMs: number }
}

const PROCESSES = 4
const EACH = 2_500

test.each([
  ['record()', 'record'],
  ['admit() and settle(), strict', 'admit'],
] as const)(
  '10 000 outcomes within one millisecond from four processes by %s are all counted',
  async (what, way) => {
    const fleet = await testFleet()
    // The clock stands still: to Redis, all of it happens within the same millisecond.
    const settings = { breaker: { failureThreshold: 1_000_000 } }
    const signal = `${fleet.namespace}:test-signal`
    const options = { commandTimeoutMs: 60_000, consistency: 'strict' }
    const start = () => worker<BurstActions>('burst', fleet, { settings, options, extra: { signal } })
    const workers = await Promise.all(Array.from({ length: PROCESSES }, start))
    const bursts = workers.map((one) => one.ask('burst', way, EACH))
    await signalAll(fleet.redis, signal, workers)
    const done = await Promise.all(bursts)

    const provider = await (await fleet.connect()).provider('openai')
    const { historyTotal, historyHealthy, applied } = await provider.snapshot()
    const counted = perStatus(
      (await provider.history({ count: 100_000 })).map((entry) => [entry.status, entry.count]),
    )
    const slowest = Math.max(...done.map((one) => one.elapsedMs))
    figure(
      5,
      `${PROCESSES * EACH} outcomes from ${PROCESSES} processes by ${what} in ${slowest.toFixed(0)} ms: ` +
        `history ${historyTotal}, applied ${applied}`,
    )
    const total = PROCESSES * EACH
    expect({ historyTotal, applied }).toEqual({ historyTotal: total, applied: total })
    expect(counted).toEqual(perStatus(done.flatMap((one) => Object.entries(one.sent))))
    expect(historyHealthy).toBe(counted['healthy'])
    expect(await fleet.redis.hlen(`${fleet.namespace}:{openai}:batches`)).toBe(PROCESSES)
  },
)

function perStatus(counts: readonly (readonly [string, number])[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [status, count] of counts) sums[status] = (sums[status] ?? 0) + count
  return sums
}
