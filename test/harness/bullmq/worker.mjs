// A worker process of a user: a BullMQ worker whose processor calls a provider over HTTP, guarded by Busbar.
import { createRequire } from 'node:module'
import { connect } from '../../../dist/index.js'
import { guard, holdWhileOpen } from '../../../dist/bullmq/index.js'

const job = JSON.parse(process.env.BUSBAR_TEST_JOB)
const { Worker, Job } = createRequire(import.meta.url)(job.bullmq)

// The parent is gone: so are we.
process.on('disconnect', () => process.exit())

let moved = 0
const { moveToDelayed } = Job.prototype
Job.prototype.moveToDelayed = function (...args) {
  moved += 1
  return moveToDelayed.apply(this, args)
}

const logged = []
const logger = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [
    level,
    (_, message) => void logged.push([level, message]),
  ]),
)
const busbar = await connect({
  redis: job.redis,
  namespace: job.namespace,
  logger,
  commandTimeoutMs: 5_000,
})
const provider = await busbar.provider('mail', job.settings)

async function call(given, token, signal) {
  // fetch keeps connections alive; a provider that died must be met by every call.
  const response = await fetch(`${job.url}/${given.id}`, { signal, headers: { connection: 'close' } })
  await response.text()
  return response.status
}
const processor = job.guard === false ? call : guard(provider, call, job.guard)

const { host, port } =
  new URL(job.redis).host === ''
    ? {}
    : { host: new URL(job.redis).hostname, port: Number(new URL(job.redis).port) }
const worker = new Worker(job.queue, processor, {
  connection: { host, port: Number(port) },
  concurrency: job.concurrency,
  lockDuration: job.lockDurationMs ?? 30_000,
  stalledInterval: job.stalledMs ?? 30_000,
})
worker.on('error', () => undefined)
let held = 0
worker.on('paused', () => (held += 1))
const hold = job.hold ? holdWhileOpen(worker, [provider]) : undefined

const actions = {
  state: () => ({
    moved,
    held,
    paused: worker.isPaused(),
    counters: busbar.counters,
    logged,
    circuit: provider.peek()?.state,
  }),
  pause: () => worker.pause(true),
  resume: () => worker.resume(),
  dispose: () => hold?.[Symbol.dispose](),
  close: async () => {
    await worker.close()
    await busbar.close()
  },
}
process.on('message', async ({ number, action, args }) => {
  try {
    process.send({ number, answer: await actions[action](...args) })
  } catch (error) {
    process.send({ number, error: { message: String(error), code: error?.code } })
  }
})
await worker.waitUntilReady()
process.send({ ready: true })
