// Three worker processes of a user over one BullMQ queue, a provider that dies for a while, and what that cost the jobs.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import { eventually } from '../eventually.mjs'
import { forkWorker } from '../workers/fork.mjs'
import { startUpstream } from './upstream.mjs'

export const SETTINGS = { breaker: { failureThreshold: 3, cooldownMs: 1_000 } }

/** `bullmq`: the path or name of the copy. */
export async function openFleet({
  redis,
  bullmq = 'bullmq',
  workers = 3,
  concurrency = 5,
  hold = true,
  guard = {},
  settings = SETTINGS,
  ...more
}) {
  const name = `test-${process.pid}-${randomBytes(4).toString('hex')}`
  const { Queue } = createRequire(import.meta.url)(bullmq)
  const { hostname: host, port } = new URL(redis)
  const queue = new Queue(name, { connection: { host, port: Number(port) } })
  queue.on('error', () => undefined)
  const upstream = await startUpstream()
  const job = {
    redis,
    namespace: name,
    bullmq,
    queue: name,
    url: upstream.url,
    concurrency,
    hold,
    guard,
    settings,
    ...more,
  }
  const processes = []
  const fork = async () => {
    const made = await forkWorker('../bullmq/worker', job)
    processes.push(made)
    return made
  }
  await Promise.all(Array.from({ length: workers }, fork))
  return {
    queue,
    upstream,
    processes,
    fork,
    name,
    add: (count, opts = {}) => addJobs(queue, count, opts),
    states: () => Promise.all(processes.map((process) => process.ask('state'))),
    counts: () => queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed', 'paused'),
    async close() {
      await Promise.all(processes.map((process) => process.kill()))
      await queue.obliterate({ force: true }).catch(() => undefined)
      await queue.close()
      upstream.close()
    },
  }
}

async function addJobs(queue, count, opts) {
  for (let from = 0; from < count; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => ({
      name: 'send',
      data: { to: from + i },
      opts: { attempts: 3, ...opts },
    }))
    await queue.addBulk(some)
  }
}

/** All jobs through an outage of `deadMs`; what it cost. With `paused` the workers stand still meanwhile: nothing is faster. */
export async function throughOutage(fleet, { jobs, deadMs, timeoutMs = 120_000, paused = false }) {
  const { upstream, processes } = fleet
  const began = performance.now()
  await fleet.add(jobs)
  await eventually(() => upstream.counts.served > 5, { what: 'the first jobs were done', timeoutMs })
  if (paused) await Promise.all(processes.map((one) => one.ask('pause')))
  else upstream.die()
  await sleep(deadMs)
  if (paused) await Promise.all(processes.map((one) => one.ask('resume')))
  else upstream.live()
  const ended = async () => {
    const { failed, completed } = await fleet.counts()
    return failed + completed === jobs
  }
  await eventually(ended, { what: 'all jobs ended', timeoutMs, everyMs: 50 })
  return cost(fleet, jobs, performance.now() - began)
}

async function cost({ queue, upstream, ...fleet }, jobs, tookMs) {
  const { failed } = await fleet.counts()
  const done = await queue.getJobs(['completed', 'failed'], 0, -1)
  const states = await fleet.states()
  const sum = (of) => states.reduce((total, each) => total + of(each), 0)
  return {
    jobs,
    failed,
    // The last attempt of a job that is done is no failure.
    spent: done.reduce((total, each) => total + each.attemptsMade, 0) - (jobs - failed),
    doomed: upstream.counts.doomed,
    moved: sum((each) => each.moved),
    held: sum((each) => each.held),
    mostMovedAHold: Math.max(...states.map((each) => each.moved / Math.max(1, each.held))),
    deferred: sum((each) => each.counters.jobsDeferred),
    trialsFailed: sum((each) => each.logged.filter(([, message]) => message === 'circuit re-opened').length),
    tookMs: Math.round(tookMs),
  }
}
