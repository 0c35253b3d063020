import { afterEach, describe, expect, it, vi } from 'vitest'
import { CallsUnderWay } from '../../src/client/call/calls-under-way.js'
import { Deadlines } from '../../src/client/shared/deadlines.js'
import type { ProcessContext } from '../../src/client/context.js'
import { ProviderSession } from '../../src/client/sync/provider-session.js'
import { newCounters } from '../../src/client/shared/log.js'
import { Outbox } from '../../src/client/outbox/outbox.js'
import { OutageLog } from '../../src/client/outage/outage-log.js'
import { StoreWatch } from '../../src/client/outage/store-watch.js'
import { SYSTEM_TIME } from '../../src/client/shared/time.js'
import { resolveSettings } from '../../src/config/settings.js'
import { MemoryStore } from '../../src/memory/store.js'
import type { RecordRequest, Run } from '../../src/model/ports/store-requests.js'
import { byForm } from '../harness/form.js'
import { generator } from '../harness/random.js'

/**
 * The order rule: a failure carries the successes before it. So the sequence that the store sees, batch after batch
 * of many workers, trips a circuit about as seldom as the calls in the order in which they ended.
 *
 * One sequence of outcomes, one seed; each outcome is of a random worker. Each circuit that opens is reset at once,
 * so that false trips can be counted. A hundred calls a second and worker is the worst case: an outbox is often
 * empty when a failure comes, and failures often follow each other without a flush between.
 */
const SEED = 20_231_114
/**
 * Errors come so often that a hundred thousand outcomes have enough runs of three (some 50) and of two (some 600) to
 * compare. What the circuit makes of them is not asked then: it is reset at once, and the successes of before the reset,
 * which still wait in the outboxes, end no run of failures after it. At the rates of a healthy provider that is rare.
 */
const SHORT = { outcomes: 100_000, errorRate: 0.08, askCircuit: false }
const USUAL = { outcomes: 1_000_000, errorRate: 0.01, askCircuit: true }
const HIGH = { outcomes: 1_000_000, errorRate: 0.03, askCircuit: true }
const CALLS_PER_SECOND_AND_WORKER = 100
const THRESHOLD = 3
const SETTINGS = resolveSettings(
  { breaker: { failureThreshold: THRESHOLD }, history: { maxRecords: 10 } },
  {},
)

const nothing = () => undefined
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const FAILURE: Omit<Run, 'generation'> = {
  origin: 'call',
  outcome: 'unhealthy',
  count: 1,
  token: '',
  retryAfterMs: 0,
  settingsRevision: 0,
  markVersion: 0,
  detail: '',
  ageMs: 0,
}

/** Keeps what the store saw, in its order: whether it failed, and how many of them in a row. */
class Watched extends MemoryStore {
  readonly seen: { readonly failed: boolean; readonly count: number }[] = []
  batches = 0

  override record(id: string, request: RecordRequest) {
    this.batches += 1
    for (const { outcome, count } of request.runs) this.seen.push({ failed: outcome !== 'healthy', count })
    return super.record(id, request)
  }
}

/**
 * Timers that the test moves, in place of the global ones. They know parts of a ms: in steps of one ms many workers
 * would flush together, as no fleet does.
 */
class Timers {
  nowMs = 1_700_000_000_000
  /** So many steps are a ms. */
  readonly #resolution: number
  readonly #buckets = new Map<number, Set<() => void>>()
  readonly #where = new Map<() => void, Set<() => void>>()
  #fired: number

  constructor(resolution: number) {
    this.#resolution = resolution
    this.#fired = this.#bucketOf(this.nowMs)
  }

  #bucketOf(ms: number): number {
    return Math.ceil(ms * this.#resolution)
  }

  readonly set = (fire: () => void, ms: number): (() => void) => {
    const at = this.#bucketOf(this.nowMs + ms)
    const bucket = this.#buckets.get(at) ?? new Set()
    this.#buckets.set(at, bucket)
    const timer = () => fire()
    bucket.add(timer)
    this.#where.set(timer, bucket)
    return timer
  }

  readonly clear = (timer: (() => void) | undefined): void => {
    if (timer === undefined) return
    this.#where.get(timer)?.delete(timer)
    this.#where.delete(timer)
  }

  /** True when anything fired. */
  advance(ms: number): boolean {
    this.nowMs += ms
    let any = false
    for (const now = Math.floor(this.nowMs * this.#resolution); this.#fired < now;) {
      this.#fired += 1
      for (const timer of this.#buckets.get(this.#fired) ?? []) {
        any = true
        this.#where.delete(timer)
        timer()
      }
      this.#buckets.delete(this.#fired)
    }
    return any
  }
}

/** How often `threshold` failures in a row were seen. */
function tripsOf(seen: Watched['seen'], threshold: number): number {
  let trips = 0
  let inRow = 0
  for (const { failed, count } of seen) {
    inRow = failed ? inRow + count : 0
    if (inRow < threshold) continue
    trips += 1
    inRow = 0
  }
  return trips
}

interface Given {
  readonly workers: number
  readonly outcomes: number
  readonly errorRate: number
}

/** Who ends a call next, and how. */
function* sequence({ workers, outcomes, errorRate }: Given): Generator<{ worker: number; failed: boolean }> {
  const random = generator(SEED)
  for (let i = 0; i < outcomes; i += 1) {
    yield { worker: Math.floor(random() * workers), failed: random() < errorRate }
  }
}

/** Every outcome is judged when it comes. */
const unbatched = (given: Given): Watched['seen'] =>
  [...sequence(given)].map(({ failed }) => ({ failed, count: 1 }))

/** Every worker has an outbox of its own, which flushes at a failure and every 100 ms. */
async function batched(given: Given, maxBatchesPerSecond: number) {
  const { workers } = given
  const perMs = (workers * CALLS_PER_SECOND_AND_WORKER) / 1_000
  const timers = new Timers(perMs)
  vi.stubGlobal('setTimeout', timers.set)
  vi.stubGlobal('clearTimeout', timers.clear)
  // Which failures wait when the store asks for patience is drawn; here they are the same in every run.
  vi.spyOn(Math, 'random').mockImplementation(generator(SEED))
  const clock = { now: () => Math.floor(timers.nowMs) }
  const links: ProviderSession[] = []
  let trips = 0
  const store = new Watched(clock, (change) => {
    for (const link of links) link.change(change)
    if (!change.events.some(({ kind }) => kind === 'opened')) return
    trips += 1
    const control = { worker: 'test', knownVersion: 0, actor: 'test', reason: '', notAfterMs: Infinity }
    queueMicrotask(() => void store.reset('openai', control))
  })
  const outboxes: Outbox[] = []
  for (let i = 0; i < workers; i += 1) {
    const context: ProcessContext = {
      watch: new StoreWatch({ ping: () => Promise.resolve(), log: new OutageLog(LOG), unref: true }),
      ...SYSTEM_TIME,
      ...{
        store,
        worker: `worker-${i}`,
        failureDomain: `node-${i}`,
        incarnation: `life-${i}`,
        clock,
        log: LOG,
        counters: newCounters(),
      },
      ...{
        commandTimeoutMs: 200,
        flushIntervalMs: 100,
        maxBatchesPerSecond,
        markJitterMs: 0,
        unref: false,
        closed: false,
      },
      deadlines: new Deadlines(),
      calls: new CallsUnderWay(),
      schedule: undefined,
    }
    const request = { worker: context.worker, knownVersion: 0, settings: SETTINGS, restore: null }
    const link = new ProviderSession(
      context,
      'openai',
      'memory',
      await store.register('openai', { ...request, mode: 'keep' }),
    )
    link.cache.follow()
    links.push(link)
    outboxes.push(new Outbox(context, link))
  }
  /** Lets the batches under way end: over memory they wait for promises only. */
  const calm = async () => {
    for (let i = 0; i < 20; i += 1) await Promise.resolve()
  }
  for (const { worker, failed } of sequence(given)) {
    const [outbox, link] = [outboxes[worker], links[worker]]
    if (outbox === undefined || link === undefined) throw new Error('no such worker')
    const { generation } = link.cache
    if (failed) outbox.add({ ...FAILURE, generation })
    else outbox.healthy(generation)
    if (timers.advance(1 / perMs) || failed) await calm()
  }
  await Promise.all(outboxes.map((outbox) => outbox.drain()))
  return { trips, seen: store.seen, batches: store.batches }
}

describe('the order rule', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  const cases = [
    { workers: 50, ...SHORT, budget: 1_000_000, how: 'flush every 100 ms' },
    { workers: 500, ...SHORT, budget: 1_000_000, how: 'flush every 100 ms' },
    { workers: 500, ...SHORT, budget: 1_000, how: 'asked for patience' },
  ]
  const more = [
    { workers: 50, ...USUAL, budget: 1_000_000, how: 'flush every 100 ms' },
    { workers: 500, ...USUAL, budget: 1_000_000, how: 'flush every 100 ms' },
    { workers: 500, ...HIGH, budget: 1_000_000, how: 'flush every 100 ms' },
    { workers: 500, ...HIGH, budget: 1_000, how: 'asked for patience' },
  ]
  it.each(byForm({ short: cases, full: [...cases, ...more] }))(
    '$workers workers, errors $errorRate ($how): they trip a healthy circuit no more than twice as often as without batches',
    async ({ budget, how, askCircuit, ...given }) => {
      const alone = unbatched(given)
      const together = await batched(given, budget)
      const trips = { alone: tripsOf(alone, THRESHOLD), together: tripsOf(together.seen, THRESHOLD) }
      const pairs = { alone: tripsOf(alone, 2), together: tripsOf(together.seen, 2) }
      console.log(
        `${given.workers} workers (${how}), ${given.outcomes} outcomes, ${given.errorRate * 100} % errors, seed ${SEED}: ` +
          `${trips.alone} false trips one by one, ${trips.together} in ${together.batches} batches ` +
          `(${together.trips} of the circuit); two failures in a row: ${pairs.alone} and ${pairs.together}`,
      )
      const applied = together.seen.reduce((sum, { count }) => sum + count, 0)
      expect(applied).toBe(given.outcomes)
      expect(trips.alone).toBeGreaterThan(0)
      expect(trips.together).toBeLessThanOrEqual(2 * trips.alone)
      if (askCircuit) expect(together.trips).toBeLessThanOrEqual(2 * trips.alone)
      // Where three in a row are a handful, two in a row are enough to trust the comparison.
      expect(pairs.alone).toBeGreaterThan(50)
      expect(pairs.together).toBeLessThanOrEqual(2 * pairs.alone)
    },
    300_000,
  )

  it('is what does it: failures that leave their successes behind would trip the circuit', () => {
    // The same sequence, each failure at once and alone, successes every 100 ms: what the outbox must not do.
    const workers = 50
    const perFlush = (workers * CALLS_PER_SECOND_AND_WORKER) / 10
    const seen: Watched['seen'] = []
    let waiting = 0
    for (const { failed } of sequence({ workers, ...USUAL })) {
      if (failed) seen.push({ failed, count: 1 })
      else waiting += 1
      if (waiting < perFlush) continue
      seen.push({ failed: false, count: waiting })
      waiting = 0
    }
    expect(tripsOf(seen, THRESHOLD)).toBeGreaterThan(1_000)
  })
})
