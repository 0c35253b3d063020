// A process of p8: runs probes, or bare jobs of BullMQ, as it is told. Arguments: the Redis.
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { Queue, Worker } from 'bullmq'
import { connect } from '../../dist/index.js'
import { deadline, pause, serve } from '../lib.mjs'

const [redis] = process.argv.slice(2)
const { hostname: host, port } = new URL(redis)
const CONCURRENCY = 16
const COMMAND_TIMEOUT_MS = 10_000
/** Providers that are registered at once. */
const BATCH = 50

/** When each probe of this process's fleet began, ms since the epoch. */
let starts = []
let busbar
let probing

async function enter(namespace) {
  busbar = await connect({ redis, namespace, logger: false, commandTimeoutMs: COMMAND_TIMEOUT_MS })
}

/** Answers the namespace, for other processes to enter. */
async function join(providers, probe) {
  const namespace = `p8-${randomBytes(4).toString('hex')}`
  await enter(namespace)
  for (let i = 0; i < providers; i += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, providers - i) }, (_, j) => `provider-${i + j}`)
    await Promise.all(ids.map((id) => busbar.provider(id, { probe })))
  }
  return namespace
}

async function begin() {
  const noop = () => {
    starts.push(Date.now())
    return true
  }
  probing = await busbar.startProbes({ functions: { noop }, concurrency: CONCURRENCY })
}

/** Probes a second while 1 200 are due in each. Many more would measure ticks that are refused, not probes. */
async function probesPerSecond(kind, url, ms) {
  const PROVIDERS = 4_000
  const kinds = {
    function: { kind: 'function', name: 'noop', intervalMs: 500, timeoutMs: 250 },
    http: { kind: 'http', url, intervalMs: 500, timeoutMs: 250 },
  }
  starts = []
  await join(PROVIDERS, kinds[kind])
  await begin()
  const count = async () => {
    if (kind === 'function') return starts.length
    return Number(await (await globalThis.fetch(`${url}?count`)).text())
  }
  const first = await count()
  await deadline(async () => (await count()) - first >= 2 * PROVIDERS, 60_000, 'two probes of each')
  const [before, from] = [await count(), performance.now()]
  await pause(ms)
  const rate = (((await count()) - before) * 1_000) / (performance.now() - from)
  await probing.close()
  await busbar.close()
  return rate
}

/** Bare jobs a second, at the same concurrency, out of a queue that is filled. */
async function jobsPerSecond(jobs) {
  const options = {
    connection: { host, port: Number(port) },
    prefix: `{p8-${randomBytes(4).toString('hex')}}`,
  }
  const queue = new Queue('bare', options)
  const kept = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } }
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: {} })))
  let done = 0
  let from
  const work = () => {
    from ??= performance.now()
    done += 1
    return Promise.resolve()
  }
  const worker = new Worker('bare', work, { ...options, ...kept, concurrency: CONCURRENCY })
  await deadline(() => done === jobs, 60_000, 'the last job')
  const rate = (jobs * 1_000) / (performance.now() - from)
  await worker.close()
  await queue.close()
  return rate
}

serve(
  {
    probesPerSecond,
    jobsPerSecond,
    join,
    enter,
    begin,
    halt: () => probing.close(),
    starts: () => starts,
    forget: () => void (starts = []),
  },
  () => busbar?.close() ?? Promise.resolve(),
)
