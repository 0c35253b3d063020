// P3: how often one worker troubles Redis.
import { Redis } from 'ioredis'
import { connect } from '../dist/index.js'
import { pause, row, scriptCalls, startRedis } from './lib.mjs'

const CALLS = 200_000
const SECONDS = 10
const FAILING = 0.001

export async function run() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const busbar = await connect({ redis: server.url, logger: false })
  try {
    return [await closed(busbar, redis), await open(busbar, redis), await halfOpen(busbar, redis)]
  } finally {
    await busbar.close()
    await redis.quit()
    await server.stop()
  }
}

/** What `work` costs in script calls. */
async function counting(redis, work) {
  await redis.config('RESETSTAT')
  const result = await work()
  const { calls } = await scriptCalls(redis)
  return { calls, result }
}

async function closed(busbar, redis) {
  const provider = await busbar.provider('closed', { breaker: { failureThreshold: 1_000 } })
  const ok = async () => 1
  const bad = async () => {
    throw new Error('1 in 1000')
  }
  const { calls, result } = await counting(redis, async () => {
    const began = performance.now()
    let failures = 0
    for (let i = 0; i < CALLS; i += 1) {
      const fails = i % (1 / FAILING) === 0
      if (fails) failures += 1
      await provider.execute(fails ? bad : ok).catch(() => undefined)
      // Spread over ten seconds, as traffic is.
      if (i % 200 === 199) await until(began + ((i + 1) / CALLS) * SECONDS * 1_000)
    }
    // The last successes go at their own turn.
    await pause(100)
    return { failures, seconds: (performance.now() - began) / 1_000 }
  })
  const allowed = 10 * result.seconds + result.failures
  const what = `script calls, ${CALLS} cached calls, ${result.failures} failing, ${result.seconds.toFixed(1)} s`
  return row('P3', what, { ours: calls, peer: allowed, unit: 'calls', ratio: calls / allowed, target: 1 })
}

async function open(busbar, redis) {
  const provider = await busbar.provider('open')
  await provider.trip()
  const { calls } = await counting(redis, async () => {
    for (let i = 0; i < CALLS; i += 1) await provider.admit()
  })
  return row('P3', `script calls while open, ${CALLS} refused`, {
    ours: calls,
    peer: 0,
    unit: 'calls',
    ratio: calls,
    target: 0,
  })
}

async function halfOpen(busbar, redis) {
  const LEASE_MS = 500
  const provider = await busbar.provider('half', {
    breaker: { cooldownMs: 1, failureThreshold: 1, trialLeaseMs: LEASE_MS },
  })
  await provider.recordFailure()
  await pause(20)
  const { calls, result } = await counting(redis, async () => {
    const began = performance.now()
    let trials = 0
    // Trials that never settle: each lease runs out, and one caller asks again.
    while (performance.now() - began < 3_000) {
      for (let i = 0; i < 100; i += 1) if ((await provider.admit()).admitted) trials += 1
      await pause(1)
    }
    return { trials, deadlines: Math.ceil((performance.now() - began) / LEASE_MS) }
  })
  const what = `script calls in half-open, slow trials, ${result.deadlines} lease deadlines`
  return row('P3', what, {
    ours: calls,
    peer: result.deadlines,
    unit: 'calls',
    ratio: calls / result.deadlines,
    target: 1,
    note: `${result.trials} trials`,
  })
}

async function until(time) {
  const left = time - performance.now()
  if (left > 1) await pause(left)
}
