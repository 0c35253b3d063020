// What every worker does first and last: joins the fleet that its job names, and answers its parent's questions.
import { Redis } from 'ioredis'
import { connectWith } from '../../../dist/connect.js'

export const job = JSON.parse(process.env.BUSBAR_TEST_JOB)

// The parent is gone: so are we.
process.on('disconnect', () => process.exit())

export async function join(options = {}) {
  const { redis, namespace, workerId, id, settings, source } = job
  // Strict: the test moves the clock of Redis, and a snapshot ages on the process's own.
  const mode = { consistency: 'strict', commandTimeoutMs: 5_000 }
  const given = { redis, namespace, workerId, logger: false, ...mode, ...job.options }
  const busbar = await connectWith({ ...given, ...options }, source)
  return { busbar, provider: await busbar.provider(id, settings) }
}

/** A plain client of the test itself. What it meets while Redis is away is not what the test is about. */
function plainClient() {
  return new Redis(job.redis).on('error', () => undefined)
}

/** Answers each question by the action of its name, until the parent is gone. */
export function serve(actions) {
  process.on('message', async ({ number, action, args }) => {
    try {
      process.send({ number, answer: await actions[action](...args) })
    } catch (error) {
      process.send({ number, error: { message: String(error), code: error?.code } })
    }
  })
  process.send({ ready: true })
}

/** Resolves at the next message on the channel; `listening` settles when none can be missed any more. */
export function barrier(channel) {
  const redis = plainClient()
  const waiting = []
  redis.on('message', () => {
    for (const go of waiting.splice(0)) go()
  })
  return {
    listening: redis.subscribe(channel),
    passed: () => new Promise((resolve) => waiting.push(resolve)),
  }
}

/** How many processes are at this moment making a call: counted by the callers, beside Busbar and not through it. */
export function headCount() {
  const redis = plainClient()
  const key = `${job.namespace}:test-inside`
  return {
    /** Answers how many are inside now, this one included. */
    enter: () => redis.incr(key),
    leave: () => redis.decr(key),
  }
}

/** What a test can have any worker do: call the handle, and hold permits by name. */
export function callerActions(busbar, provider) {
  const permits = new Map()
  return {
    admit: async (name) => {
      const decision = await provider.admit()
      if (!decision.admitted) return decision
      permits.set(name, decision.permit)
      const { generation, trial } = decision.permit
      return { admitted: true, generation, trial, source: decision.source }
    },
    settle: (name, outcome, options) => permits.get(name).settle(outcome, options),
    answer: async (status, headers) => {
      await provider.execute(() => ({ status, headers: { get: (name) => headers[name] ?? null } }))
    },
    record: (outcome, options) => provider.record(outcome, options),
    fail: async (times) => {
      await provider.snapshot()
      for (let i = 0; i < times; i += 1) await provider.record('unhealthy')
    },
    control: (method, options) => provider[method](options),
    snapshot: () => provider.snapshot(),
    peek: () => provider.peek(),
    counters: () => busbar.counters,
    remove: () => busbar.remove(provider.id),
  }
}
