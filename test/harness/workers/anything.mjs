// A worker that does whatever can be done to a store, at random, in several lanes at once. It writes each operation down
// before it is sent and again when it is answered, so that whoever kills it knows what may have been on its way.
import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection } from '../../../dist/redis/connection.js'
import { RedisStore } from '../../../dist/redis/store.js'
import { job, serve } from './join.mjs'

const { ids, file, lanes } = job.extra
const connection = await open()
const store = new RedisStore(connection, job.namespace, job.source)
const log = openSync(file, 'a')
const write = (line) => writeSync(log, `${JSON.stringify(line)}\n`)

/** Its Redis may be frozen or cut off at this very moment. */
async function open() {
  for (const options = { commandTimeoutMs: 200, unref: false, onError: () => undefined }; ;) {
    const opened = new RedisConnection(job.redis, options)
    try {
      await opened.connect()
      return opened
    } catch (error) {
      if (error.code !== 'redis_unavailable') throw error
    }
  }
}

const chance = (share) => Math.random() < share
const upTo = (n) => Math.floor(Math.random() * n)
const pick = (list) => list[upTo(list.length)]

let running = false
let performed = 0
let ended
/** Of each provider, what the store said last. */
const known = new Map(ids.map((id) => [id, { version: 0, generation: 0, nowMs: 0 }]))

function learn(id, { nowMs, snapshot }) {
  const before = known.get(id)
  const { version, generation } = snapshot ?? before
  known.set(id, version < before.version ? { ...before, nowMs } : { version, generation, nowMs })
}

/** What every command bears. Some name a moment that is over soon; some do not know the newest version. */
function caller(id) {
  const { version, nowMs } = known.get(id)
  const notAfterMs = chance(0.1) ? nowMs + upTo(40) : Number.MAX_SAFE_INTEGER
  return { knownVersion: chance(0.1) ? 0 : version, notAfterMs }
}

/** One operation under a name of its own. Undefined when nobody answered. */
async function perform(method, id, request) {
  performed += 1
  const named = { ...caller(id), ...request, worker: `${job.workerId}#${performed}` }
  write({ name: named.worker, method, id, request: named })
  try {
    const reply = await store[method](id, named)
    write({ name: named.worker, reply })
    learn(id, reply)
    return reply
  } catch (error) {
    if (error.code !== 'redis_unavailable') throw error
    await sleep(5 + upTo(20))
    return undefined
  }
}

const OUTCOMES = [
  'healthy',
  'degraded',
  'unhealthy',
  'timeout',
  'terminated',
  'client_error',
  'ignored',
  'throttled',
]
const outcome = () => (chance(0.5) ? 'healthy' : pick(OUTCOMES))

function run(origin, generation, more = {}) {
  const what = more.outcome ?? outcome()
  return {
    origin,
    outcome: what,
    count: origin === 'probe' ? 1 : 1 + upTo(3),
    generation,
    token: '',
    retryAfterMs: what === 'throttled' ? 1 + upTo(30) : 0,
    settingsRevision: 0,
    markVersion: 0,
    detail: chance(0.05) ? 'HTTP 503' : '',
    ageMs: chance(0.05) ? upTo(3_000) : 0,
    ...more,
  }
}

/** One after the other, as an outbox does: a batch is sent until it is answered. */
class Lane {
  #name
  #sequences = new Map(ids.map((id) => [id, 0]))
  #permits = []

  constructor(number) {
    this.#name = `${job.workerId}-lane-${number}`
  }

  async run() {
    while (running) await this.#step(pick(ids))
  }

  #step(id) {
    const draw = Math.random()
    if (draw < 0.5)
      return this.#record(
        id,
        Array.from({ length: 1 + upTo(4) }, () => this.#call(id)),
      )
    if (draw < 0.75) return this.#admit(id, 'call')
    if (draw < 0.83) return this.#admit(id, 'probe')
    if (draw < 0.93) return this.#settle()
    return this.#control(id)
  }

  #call(id) {
    const { generation } = known.get(id)
    return run('call', chance(0.05) ? generation - 1 : generation)
  }

  async #record(id, runs) {
    const sequence = this.#sequences.get(id) + 1
    this.#sequences.set(id, sequence)
    const batch = { incarnation: this.#name, sequence, jitterDraw: Math.random(), flushIntervalMs: 100, runs }
    const load = { maxBatchesPerSecond: pick([100, 1_000, 10_000]) }
    const lostMsAgo = chance(0.05) ? upTo(10) : null
    for (let resent = false; ;) {
      const reply = await perform('record', id, { ...batch, ...load, lostMsAgo, resent })
      if (reply?.status === 'ok') return
      resent ||= reply === undefined
    }
  }

  async #admit(id, origin) {
    const token = `${this.#name}-${performed}`
    const request = {
      origin,
      token,
      leaseMs: pick([0, 0, 300]),
      minGapMs: origin === 'probe' ? upTo(20) : 0,
    }
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const reply = await perform('admit', id, request)
      if (reply?.status !== 'ok') continue
      if (reply.admitted) this.#permits.push({ id, origin, token: reply.trial ? token : '', ...reply })
      break
    }
    if (this.#permits.length > upTo(4)) await this.#settle()
  }

  async #settle() {
    const permit = this.#permits.splice(upTo(this.#permits.length), 1)[0]
    if (permit === undefined) return
    const { id, origin, generation, token, settingsRevision, markVersion } = permit
    await this.#record(id, [run(origin, generation, { token, settingsRevision, markVersion, count: 1 })])
  }

  async #control(id) {
    const method = pick(['reset', 'trip', 'mark', 'mark', 'resume', 'recordHeartbeat', 'recordHeartbeat'])
    const forMs = pick([10, 40, 100])
    const by = { actor: pick(['', 'ops']), reason: pick(['', 'by hand']) }
    const requests = {
      reset: by,
      resume: by,
      trip: { ...by, forMs },
      mark: { ...by, forMs, mark: pick(['unhealthy', 'degraded', 'terminated']) },
      recordHeartbeat: { progress: pick([null, upTo(5)]) },
    }
    await perform(method, id, requests[method])
  }
}

serve({
  start: () => {
    running = true
    ended = Promise.all(Array.from({ length: lanes }, (_, i) => new Lane(i).run()))
    // Rejections are told when it is stopped.
    ended.catch(() => undefined)
  },
  /** No operation is under way when this is answered. */
  stop: async () => {
    running = false
    await ended
    connection.close()
  },
})
