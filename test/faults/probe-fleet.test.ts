import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { startUpstream } from '../harness/http-upstream.js'
import { onQuietMachine } from '../harness/machine.js'
import { expectKillsCostOneProbe, expectPeriodDespiteClocks, runScript } from './probe-fleet-runs.js'

/** How often a probe begins is by Redis's clock; how soon a process gets to ask depends on the machine too. */
describe('a fleet that probes one provider from four processes', () => {
  it('keeps the period when one of them is killed', (context) =>
    onQuietMachine(context, async () => {
      const { code, found } = await runScript('gaps', '--seconds', '8', '--interval', '200')
      expect(found).toMatchObject({ passed: true, short: [], killed: ['worker-1'] })
      expect(code).toBe(0)
      expect(found.starts).toBeGreaterThan(25)
      expect(found.starts).toBeLessThanOrEqual(42)
      expect(Object.keys(found.shares).length).toBeGreaterThanOrEqual(2)
    }))

  it('probes on when Redis is restarted without its data, and no two probes are within half an interval', (context) =>
    onQuietMachine(context, async () => {
      const options = ['--seconds', '8', '--interval', '250', '--timeout', '150', '--wipe']
      const { starts, short, long, shares } = (await runScript('gaps', ...options)).found
      figure(
        12,
        `Redis restarted without its data: ${starts} probes in 32 intervals, silent for ${long.join()} ms`,
      )
      expect(short).toEqual([])
      expect(long.length).toBeLessThanOrEqual(1) // the restart
      expect(starts).toBeGreaterThan(15)
      expect(Object.keys(shares).length).toBeGreaterThanOrEqual(2)
    }))
})

describe('workers whose time of day is an hour off', () => {
  it('keep the period, one ahead and one behind, beside two others, and after one is killed', (context) =>
    onQuietMachine(context, () => expectPeriodDespiteClocks('3600,-3600', '--timeout', '150')))
})

describe('a fleet that was gone for a while', () => {
  it('probes once when it is back, and then at its period', (context) =>
    onQuietMachine(context, async () => {
      const options = ['--seconds', '4', '--interval', '200', '--outage', '5']
      const { starts, killed, short, long } = (await runScript('gaps', ...options)).found
      expect(killed).toHaveLength(4)
      expect(short).toEqual([])
      expect(starts).toBeLessThanOrEqual(30)
      expect(long.length).toBeLessThanOrEqual(2) // the outage, and the start of new processes at its end
    }))
})

describe('a fleet of four processes with many providers', () => {
  it('shares their probes, and makes all that are due', { timeout: 300_000 }, (context) =>
    onQuietMachine(context, async () => {
      const { found } = await runScript(
        'shares',
        '--providers',
        '400',
        '--interval',
        '2000',
        '--seconds',
        '6',
      )
      const { made, due, shares, redisUs } = found
      const percent = Object.values(shares).map((share) => `${Math.round(share * 100)} %`)
      figure(12, `${made} probes of ${due} due, shared ${percent.join(', ')}; ${redisUs} us of Redis each`)
      expect(made).toBeGreaterThan(0.95 * due)
      for (const share of Object.values(shares)) {
        expect(share).toBeGreaterThanOrEqual(0.15)
        expect(share).toBeLessThanOrEqual(0.35)
      }
    }),
  )
})

describe('five workers killed in mid-probe', () => {
  it('lose no schedule, and no result is counted twice', { timeout: 300_000 }, (context) =>
    onQuietMachine(context, () => expectKillsCostOneProbe(5)),
  )
})

async function privateFleet() {
  const redis = await startRedis()
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: 1_000 })
  onTestFinished(async () => {
    await busbar.close()
    await redis.stop()
  })
  const upstream = await startUpstream()
  const worker = await busbar.startProbes()
  await busbar.provider('a', { probe: { kind: 'http', url: upstream.url, intervalMs: 200 } })
  await eventually(() => upstream.requests.length > 2)
  return { redis, busbar, upstream, worker }
}

describe('a Redis that restarts without its data', () => {
  it('gets provider and scheduler back, and the probes go on', async () => {
    const { redis, busbar, upstream } = await privateFleet()
    await redis.stop()
    const again = await startRedis({ port: redis.port })
    onTestFinished(() => again.stop())
    const { length } = upstream.requests
    await eventually(() => upstream.requests.length >= length + 5)
    expect(await busbar.providers()).toEqual(['a'])
  })
})

describe('closing a probe worker', () => {
  it('ends although Redis is gone', async () => {
    const { redis, worker } = await privateFleet()
    await redis.stop()
    const startedAt = performance.now()
    await worker.close()
    expect(performance.now() - startedAt).toBeLessThan(30_000) // it ends at all
  })

  it('ends although Redis is frozen', async () => {
    const { redis, worker } = await privateFleet()
    process.kill(redis.pid, 'SIGSTOP')
    onTestFinished(() => void process.kill(redis.pid, 'SIGCONT'))
    const startedAt = performance.now()
    await worker.close()
    expect(performance.now() - startedAt).toBeLessThan(30_000) // it ends at all
  })
})
