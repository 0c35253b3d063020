// Three BullMQ workers, and a mail provider that is down for 3 s: no job fails, and no attempt is spent.
// Start Redis, then:
//   REDIS_URL=redis://127.0.0.1:6379 node bullmq-pool.mjs
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { connect } from 'busbar'
import { guard, holdWhileOpen } from 'busbar/bullmq'

const JOBS = 200
const redis = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
const { hostname: host, port } = new URL(redis)
const connection = { host, port: Number(port) }
const queueName = `busbar-example-${process.pid}`

let dead = false
let doomed = 0

/** The provider. */
async function send() {
  await sleep(20)
  if (!dead) return 'sent'
  doomed += 1
  throw Object.assign(new Error('service unavailable'), { status: 503 })
}

/** One worker of the pool; each has a connection of its own, as if it were another process. */
async function startWorker(name) {
  const busbar = await connect({ redis, namespace: queueName, workerId: name, logger: false })
  const mail = await busbar.provider('mail', { breaker: { failureThreshold: 3, cooldownMs: 1_000 } })
  const processor = guard(mail, (job, token, signal) => send(job.data, { signal }), {
    deferOn: 'outage',
    spreadMs: 500,
  })
  const worker = new Worker(queueName, processor, { connection, concurrency: 5 })
  worker.on('error', (error) => console.error(`${name}: ${error.message}`))
  const hold = holdWhileOpen(worker, [mail])
  return {
    busbar,
    close: async () => {
      hold[Symbol.dispose]()
      await worker.close()
      await busbar.close()
    },
  }
}

const pool = await Promise.all(['worker-1', 'worker-2', 'worker-3'].map(startWorker))
const queue = new Queue(queueName, { connection })
await queue.addBulk(Array.from({ length: JOBS }, () => ({ name: 'send', data: {}, opts: { attempts: 3 } })))

await sleep(100)
dead = true
console.log('the provider is down')
await sleep(3_000)
dead = false
console.log('the provider is back')

while ((await queue.getCompletedCount()) + (await queue.getFailedCount()) < JOBS) await sleep(50)
const done = await queue.getCompleted(0, -1)
const spent = done.reduce((sum, job) => sum + job.attemptsMade - 1, 0)
const deferred = pool.reduce((sum, { busbar }) => sum + busbar.counters.jobsDeferred, 0)
console.log(`${done.length} jobs done, ${await queue.getFailedCount()} failed, ${spent} attempts spent`)
console.log(`${doomed} calls reached the dead provider, ${deferred} jobs were deferred`)

await Promise.all(pool.map((one) => one.close()))
await queue.obliterate({ force: true })
await queue.close()
