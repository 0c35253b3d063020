import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { startUpstream } from '../support/http-upstream.js'
import { eventually } from '../support/process.js'

const SCRIPT = fileURLToPath(new URL('../../scripts/probe-gaps.mjs', import.meta.url))

interface Verdict {
  readonly passed: boolean
  readonly probes: number
  readonly shares: Readonly<Record<string, number>>
  readonly killed: readonly string[]
  readonly short: readonly number[]
  readonly long: readonly number[]
}

/** Runs the script over dist/, in processes of its own. */
async function measureGaps(...args: string[]): Promise<{ code: number | null; verdict: Verdict }> {
  const child = spawn(process.execPath, [SCRIPT, '--json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  // The script prints what `Verdict` names; the tests below read each field.
  return { code, verdict: JSON.parse(output) as Verdict }
}

describe('a fleet that probes one provider from four processes', () => {
  it('keeps the period when one of them is killed', async () => {
    const { code, verdict } = await measureGaps('--seconds', '8', '--interval', '200')
    expect(verdict).toMatchObject({ passed: true, short: [], killed: ['worker-1'] })
    expect(code).toBe(0)
    expect(verdict.probes).toBeGreaterThan(25)
    expect(verdict.probes).toBeLessThanOrEqual(42)
    expect(Object.keys(verdict.shares).length).toBeGreaterThanOrEqual(2)
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
  expect(await eventually(() => upstream.requests.length > 2, 10_000)).toBe(true)
  return { redis, busbar, upstream, worker }
}

describe('a Redis that restarts without its data', () => {
  it('gets provider and scheduler back, and the probes go on', async () => {
    const { redis, busbar, upstream } = await privateFleet()
    await redis.stop()
    const again = await startRedis({ port: redis.port })
    onTestFinished(() => again.stop())
    const { length } = upstream.requests
    expect(await eventually(() => upstream.requests.length >= length + 5, 20_000)).toBe(true)
    expect(await busbar.providers()).toEqual(['a'])
  })
})

describe('closing a probe worker', () => {
  it('ends although Redis is gone', async () => {
    const { redis, worker } = await privateFleet()
    await redis.stop()
    const startedAt = performance.now()
    await worker.close()
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('ends although Redis is frozen', async () => {
    const { redis, worker } = await privateFleet()
    process.kill(redis.pid, 'SIGSTOP')
    onTestFinished(() => void process.kill(redis.pid, 'SIGCONT'))
    const startedAt = performance.now()
    await worker.close()
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})
