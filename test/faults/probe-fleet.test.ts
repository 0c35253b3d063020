import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { byForm } from '../harness/form.js'
import { startUpstream } from '../harness/http-upstream.js'
import { onQuietMachine } from '../harness/machine.js'

const scriptAt = (name: string) =>
  fileURLToPath(new URL(`../harness/probe-fleet/${name}.mjs`, import.meta.url))

const KILLS = Number(process.env['BUSBAR_PROBE_KILLS'] ?? byForm({ short: 5, full: 30 }))

interface Verdict {
  readonly passed: boolean
  /** Probes that Redis let begin. */
  readonly starts: number
  readonly shares: Readonly<Record<string, number>>
  readonly killed: readonly string[]
  readonly short: readonly number[]
  readonly long: readonly number[]
}

/** Runs a script over dist/, in processes of its own. */
async function runScript(
  name: string,
  args: readonly string[],
): Promise<{ code: number | null; verdict: Verdict & Kills & Shares }> {
  const child = spawn(process.execPath, [scriptAt(name), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  // The scripts print what the callers name; the tests below read each field.
  return { code, verdict: JSON.parse(output) as Verdict & Kills & Shares }
}

const measureGaps = (...args: string[]) => runScript('gaps', args)

/** How often a probe begins is by Redis's clock; how soon a process gets to ask depends on the machine too. */
describe('a fleet that probes one provider from four processes', () => {
  it('keeps the period when one of them is killed', (context) =>
    onQuietMachine(context, async () => {
      const { code, verdict } = await measureGaps('--seconds', '8', '--interval', '200')
      expect(verdict).toMatchObject({ passed: true, short: [], killed: ['worker-1'] })
      expect(code).toBe(0)
      expect(verdict.starts).toBeGreaterThan(25)
      expect(verdict.starts).toBeLessThanOrEqual(42)
      expect(Object.keys(verdict.shares).length).toBeGreaterThanOrEqual(2)
    }))
})

describe('a worker whose time of day is an hour off', () => {
  it.for(byForm({ short: ['-3600'], full: ['3600', '-3600'] }))(
    '%s s: the period is kept beside two others, and after it is killed',
    (off, context) =>
      onQuietMachine(context, async () => {
        const options = ['--seconds', '10', '--interval', '250', '--workers', '3', `--off=${off}`]
        const { verdict } = await measureGaps(...options)
        const { starts, killed, short, long } = verdict
        figure(11, `a prober ${off} s off: ${starts} probes in 40 intervals, ${long.length} long gaps`)
        expect(killed).toEqual(['worker-1'])
        expect(short).toEqual([])
        expect(starts).toBeGreaterThan(25)
        expect(starts).toBeLessThanOrEqual(44)
        expect(long.length).toBeLessThanOrEqual(1)
      }),
  )
})

describe('a fleet that was gone for a while', () => {
  it('probes once when it is back, and then at its period', (context) =>
    onQuietMachine(context, async () => {
      const { verdict } = await measureGaps('--seconds', '4', '--interval', '200', '--outage', '5')
      const { starts, killed, short, long } = verdict
      expect(killed).toHaveLength(4)
      expect(short).toEqual([])
      expect(starts).toBeLessThanOrEqual(30)
      expect(long.length).toBeLessThanOrEqual(2) // the outage, and the start of new processes at its end
    }))
})

describe('a fleet of four processes with many providers', () => {
  it('shares their probes, and makes all that are due', { timeout: 300_000 }, (context) =>
    onQuietMachine(context, async () => {
      const size = byForm({
        short: ['--providers', '400', '--interval', '2000', '--seconds', '6'],
        full: ['--providers', '5000', '--interval', '10000', '--seconds', '20'],
      })
      const { verdict } = await runScript('shares', size)
      const { made, due, shares, redisUs } = verdict
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

interface Shares {
  readonly made: number
  readonly due: number
  readonly redisUs: number
}

interface Kills {
  readonly passed: boolean
  readonly answered: number
  readonly historyTotal: number
  readonly longestMs: number
}

describe(`${KILLS} workers killed in mid-probe`, () => {
  it('lose no schedule, and no result is counted twice', { timeout: 60_000 + KILLS * 6_000 }, async () => {
    const { code, verdict } = await runScript('kills', ['--kills', `${KILLS}`])
    const { answered, historyTotal, longestMs } = verdict
    figure(
      12,
      `${KILLS} workers killed in mid-probe: ${answered} answers, ${historyTotal} results, longest silence ${longestMs} ms`,
    )
    expect(verdict).toMatchObject({ passed: true, historyTotal: answered })
    expect(code).toBe(0)
  })
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
