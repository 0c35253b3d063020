import { setImmediate } from 'node:timers'
import { ProviderSession } from '../../dist/client/sync/provider-session.js'
import { Outbox } from '../../dist/client/outbox/outbox.js'
import { CallsUnderWay } from '../../dist/client/call/calls-under-way.js'
import { OutageLog } from '../../dist/client/outage/outage-log.js'
import { StoreWatch } from '../../dist/client/outage/store-watch.js'
import { Deadlines } from '../../dist/client/shared/deadlines.js'
import { Observers } from '../../dist/client/shared/observers.js'
import { SYSTEM_TIME } from '../../dist/client/shared/time.js'
import { newCounters } from '../../dist/client/shared/log.js'
import { resolveSettings } from '../../dist/config/settings.js'
import { RedisConnection } from '../../dist/redis/connection.js'
import { RedisFeed } from '../../dist/redis/feed.js'
import { RedisStore } from '../../dist/redis/store.js'
import { callRun } from '../../dist/client/admission/permit.js'
import { deadline, pause } from '../lib.mjs'

/**
 * One process speaks for many workers. Each has what a real one has for a provider (its session, its snapshot cache,
 * its outbox, its incarnation), but they share a few connections, and a message is parsed once for all of a
 * connection's workers. So Redis sees the batches of the whole fleet, though not its subscribers.
 */

const CONNECTIONS = 4
const ID = 'scale'
const NAMESPACE = 'busbar'
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
const FAILED = { outcome: 'unhealthy', retryAfterMs: 0, detail: '' }

export async function startSimulatedFleet(url, { workers, callsPerSecond, failingShare, settings }) {
  const lanes = await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => openLane(url, i, settings)))
  const fleet = new SimulatedFleet(lanes, { callsPerSecond, failingShare })
  await fleet.join(workers, resolveSettings(settings, {}))
  return fleet
}

async function openLane(url, number, settings) {
  const threshold = settings.breaker.failureThreshold
  const counters = newCounters()
  const onError = () => (counters.connectionErrors += 1)
  // The generator is busier than any worker is, and must not take that for a failure of Redis.
  const connection = new RedisConnection(url, { commandTimeoutMs: 10_000, unref: false, onError })
  await connection.connect()
  const workers = []
  const feed = new RedisFeed(connection, NAMESPACE, onError)
  const change = (message) => {
    const suspect = message.snapshot?.state === 'closed' && message.snapshot.failingBatches >= threshold
    for (const { session, outbox } of workers) {
      session.change(message)
      if (suspect) outbox.flushNow()
    }
  }
  await feed.subscribe({ change, lost: onError, gap: onError })
  const worker = `lane-${number}`
  const context = {
    ...SYSTEM_TIME,
    store: new RedisStore(connection, NAMESPACE),
    // Its connection is a lane of many workers: an outage is not what is measured.
    watch: new StoreWatch({ ping: () => Promise.resolve(), log: new OutageLog(SILENT), unref: true }),
    worker,
    failureDomain: worker,
    log: SILENT,
    counters,
    observers: new Observers({ worker, domain: worker, log: SILENT, counters }),
    calls: new CallsUnderWay(),
    markJitterMs: 0,
    schedule: undefined,
    commandTimeoutMs: 10_000,
    flushIntervalMs: 100,
    maxBatchesPerSecond: 1_000,
    unref: false,
    deadlines: new Deadlines(),
    closed: false,
  }
  return { context, workers, feed }
}

class SimulatedFleet {
  /** 1 once the provider is dead. */
  #failingShare
  #stopped = false
  #next = 0
  calls = 0
  failed = 0
  /** When each worker's first refusal since `die` came, ms. */
  refusedAt = new Map()
  workers = []
  /** Longest pause of the loop: what is below it cannot be seen. */
  longestTurnMs = 0

  constructor(lanes, options) {
    this.lanes = lanes
    this.options = options
    this.#failingShare = options.failingShare
  }

  async join(count, settings) {
    const { store } = this.lanes[0].context
    const epoch = await store.ensureEpoch()
    const request = { worker: 'bench', knownVersion: 0, settings, mode: 'set', restore: null }
    const registered = await store.register(ID, request)
    for (let i = 0; i < count; i += 1) {
      const lane = this.lanes[i % CONNECTIONS]
      const context = { ...lane.context, incarnation: `00000000-0000-4000-8000-${`${i}`.padStart(12, '0')}` }
      const session = new ProviderSession(context, ID, epoch, registered)
      session.cache.follow()
      const worker = { session, outbox: new Outbox(context, session) }
      lane.workers.push(worker)
      this.workers.push(worker)
    }
    this.#shuffle()
  }

  /** So that neighbours in time are no neighbours on a connection. */
  #shuffle() {
    for (let i = this.workers.length - 1; i > 0; i -= 1) {
      const j = Math.floor(Math.random() * (i + 1))
      ;[this.workers[i], this.workers[j]] = [this.workers[j], this.workers[i]]
    }
  }

  /** Calls at a steady rate, worker by worker, until `stop`. They come in gradually, as a deployment does. */
  start(rampMs = 0) {
    const rate = (this.workers.length * this.options.callsPerSecond) / 1_000
    const began = performance.now()
    let last = began
    let owed = 0
    const turn = () => {
      if (this.#stopped) return
      const now = performance.now()
      const share = Math.min(1, (now - began + 1) / (rampMs + 1))
      this.longestTurnMs = Math.max(this.longestTurnMs, now - last)
      owed += (now - last) * rate * share
      last = now
      for (; owed >= 1; owed -= 1) this.#call(now, share)
      setImmediate(turn)
    }
    turn()
  }

  #call(now, share) {
    const worker = this.workers[this.#next]
    this.#next = (this.#next + 1) % Math.ceil(this.workers.length * share)
    const { cache } = worker.session
    if (!cache.free) return
    this.calls += 1
    if (this.#failingShare < 1 && Math.random() >= this.#failingShare) {
      worker.outbox.healthy(cache.generation)
      return
    }
    this.failed += 1
    worker.outbox.add(callRun(FAILED, cache.generation, ''))
  }

  /** Every call fails from now on. Answers the ms until the last worker refuses, and the calls until then. */
  async die() {
    this.#failingShare = 1
    const { failed } = this
    const began = performance.now()
    const refuses = () => this.workers.every(({ session }) => !session.cache.free)
    while (!refuses()) {
      if (performance.now() - began > 10_000) throw new Error('the fleet does not refuse')
      await new Promise(setImmediate)
    }
    return { ms: performance.now() - began, doomed: this.failed - failed }
  }

  async recover() {
    const { store } = this.lanes[0].context
    this.#failingShare = this.options.failingShare
    const request = { worker: 'bench', knownVersion: 0, actor: 'bench', reason: '' }
    await store.reset(ID, { ...request, notAfterMs: Number.MAX_SAFE_INTEGER })
    await deadline(() => this.workers.every(({ session }) => session.cache.free), 5_000, 'the reset')
  }

  get opened() {
    return this.workers.some(({ session }) => !session.cache.free)
  }

  async stop() {
    this.#stopped = true
    for (const { outbox } of this.workers) outbox.stop()
    await pause(50)
    for (const { context, feed } of this.lanes) {
      context.closed = true
      await feed.close()
      await context.store.close()
    }
  }
}
