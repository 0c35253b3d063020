// How four processes share many providers, and whether all that is due is made: by the upstream's own log.
//
//   node test/harness/probe-fleet/shares.mjs [--providers 5000] [--interval 10000] [--workers 4] [--seconds 20] [--json]
//
// Ends with 1 when a worker made less than 15 % or more than 35 % of the probes (of four; else 0.6 to 1.4 of its share), or when
// less than 97 % of what was due was made. Needs dist/ (`npm run build`) and starts a Redis of its own.
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { endAll, load, startUpstream, startWorker } from './workers.mjs'

const PATIENCE_MS = 10_000
/** Providers that are registered at once. */
const BATCH = 50

async function measure({ providers, interval, workers, seconds }) {
  const { startRedis } = await load('embedded/index.js')
  const { connect } = await load('index.js')
  const [redis, upstream] = await Promise.all([startRedis(), startUpstream()])
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: PATIENCE_MS })
  const raw = new Redis(redis.url)
  const running = []
  try {
    const probe = { kind: 'http', url: upstream.url, intervalMs: interval, timeoutMs: 2_000 }
    for (let i = 0; i < providers; i += BATCH) {
      const ids = Array.from({ length: Math.min(BATCH, providers - i) }, (_, j) => `provider-${i + j}`)
      await Promise.all(ids.map((id) => busbar.provider(id, { probe })))
    }
    const ids = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`)
    running.push(
      ...(await Promise.all(ids.map((id) => startWorker(redis.url, id, { commandTimeoutMs: PATIENCE_MS })))),
    )
    // Each has been probed for the first time, and found its turn.
    await sleep(2 * interval)
    upstream.requests.length = 0
    const [before, cpuBefore, from] = [await redisTimeMs(raw), ticksOf(running), performance.now()]
    await sleep(seconds * 1_000)
    const [after, cpuAfter, made] = [await redisTimeMs(raw), ticksOf(running), upstream.requests.length]
    const due = (providers * (performance.now() - from)) / interval
    const shares = Object.fromEntries(ids.map((id) => [id, 0]))
    for (const { worker } of upstream.requests) shares[worker] += 1 / made
    const redisUs = Math.round(((after - before) * 1_000) / made)
    const workerUs = Math.round(((cpuAfter - cpuBefore) * US_PER_TICK) / made)
    return { made, due: Math.round(due), shares, redisUs, workerUs }
  } finally {
    await endAll(running)
    raw.disconnect()
    await busbar.close()
    upstream.close()
    await redis.stop()
  }
}

/** The processor's time that the workers have used (Linux; else 0), in ticks of the kernel. */
const ticksOf = (workers) =>
  workers.reduce((sum, { child }) => {
    const file = `/proc/${child.pid}/stat`
    if (!existsSync(file)) return sum
    const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(file, 'utf8')) ?? []
    return sum + Number(user) + Number(system)
  }, 0)
const US_PER_TICK = 10_000

/** The processor's time that Redis has used, ms. */
async function redisTimeMs(redis) {
  const text = await redis.info('cpu')
  const of = (name) => Number(new RegExp(`used_cpu_${name}:([0-9.]+)`).exec(text)?.[1] ?? 0)
  return (of('user') + of('sys')) * 1_000
}

const { values } = parseArgs({
  options: {
    providers: { type: 'string', default: '5000' },
    interval: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
})
const { json, ...rest } = values
const options = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)]))
const found = await measure(options)
const fair = 1 / options.workers
const shared = Object.values(found.shares).every((share) => share >= 0.6 * fair && share <= 1.4 * fair)
const passed = shared && found.made >= 0.97 * found.due
if (json) console.log(JSON.stringify({ passed, ...found }))
else {
  const { made, due, redisUs, workerUs } = found
  console.log(
    `${made} probes made of ${due} that were due; ${redisUs} us of Redis and ${workerUs} us of a worker each`,
  )
  for (const [worker, share] of Object.entries(found.shares)) console.log(`  ${worker} ${share.toFixed(2)}`)
  console.log(passed ? 'passed' : 'FAILED')
}
process.exitCode = passed ? 0 : 1
