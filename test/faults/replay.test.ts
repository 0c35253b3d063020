import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { startRedis } from '../../src/embedded/index.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisStore } from '../../src/redis/store.js'
import { eventually } from '../harness/eventually.mjs'
import { byForm } from '../harness/form.js'
import { journalKey, orderedClock, parseJournal } from '../harness/ordered-clock.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { readLog, Replay, type Log } from '../harness/replay.js'
import { forkWorker, type Worker } from '../harness/workers/fork.mjs'

const OPERATIONS = Number(process.env['BUSBAR_REPLAY_OPERATIONS'] ?? byForm({ short: 6_000, full: 12_000 }))
const WORKERS = 4
const LANES = 4
/** One thing goes wrong in so many operations. */
const FAULT_EVERY = 250
const EVERYTHING = 1_000_000
const NAMESPACE = 'replay'

/** Quick enough that circuits open and close all the time, for one thing happens in every ms of this clock. */
const BREAKER = { failureThreshold: 3, cooldownMs: 60, trialLeaseMs: 150, maxCooldownMs: 400 }
const PROBE = { kind: 'heartbeat' as const, ttlMs: 1_000, intervalMs: 10 }
const SETTINGS = {
  plain: { breaker: BREAKER, history: { windowMs: 5_000 } },
  patient: {
    breaker: {
      ...BREAKER,
      failureThreshold: 4,
      successThreshold: 2,
      halfOpenMaxTrials: 2,
      cooldownMultiplier: 2,
    },
    history: { windowMs: 60_000, maxRecords: 500 },
  },
  probed: {
    breaker: { ...BREAKER, cooldownJitter: 0.5, recovery: 'probe' as const },
    history: { windowMs: 20_000 },
    probe: { ...PROBE, unhealthyAfter: 2 },
  },
}
const IDS = Object.keys(SETTINGS)

interface Anything {
  start(): void
  /** No operation is under way when it answers. */
  stop(): void
}

/** A Redis whose runs are journaled, providers in it, and a folder for what the processes write. */
async function testStore() {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-replay-'))
  const server = await startRedis()
  const redis = new Redis(server.url)
  const source = { dir: process.env['BUSBAR_TEST_LUA_DIR'], overrides: orderedClock(NAMESPACE) }
  const connection = new RedisConnection(server.url, {
    commandTimeoutMs: 10_000,
    unref: false,
    onError: () => undefined,
  })
  await connection.connect()
  const store = new RedisStore(connection, NAMESPACE, source)
  onTestFinished(async () => {
    redis.disconnect()
    await store.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const log: Log = new Map()
  for (const [i, [id, settings]] of Object.entries(SETTINGS).entries()) {
    const name = `test#${i}`
    const resolved = resolveSettings(settings)
    const request = { worker: name, knownVersion: 0, settings: resolved, mode: 'set' as const, restore: null }
    log.set(name, { sent: JSON.stringify({ name, method: 'register', id, request }) })
    await store.register(id, request)
  }
  return { folder, server, redis, source, store, log }
}
type TestStore = Awaited<ReturnType<typeof testStore>>

/** One place in the fleet: its wire, and whoever works there now. */
interface Place {
  readonly proxy: Proxy
  worker: Worker<Anything>
}

class Fleet {
  readonly #testStore: TestStore
  readonly places: Place[] = []
  readonly files: string[] = []
  killed = 0

  constructor(testStore: TestStore) {
    this.#testStore = testStore
  }

  async start(): Promise<void> {
    const place = async () => {
      const proxy = await startProxy(this.#testStore.server.port)
      return { proxy, worker: await this.#fork(proxy) }
    }
    this.places.push(...(await Promise.all(Array.from({ length: WORKERS }, place))))
  }

  async #fork({ url }: Proxy): Promise<Worker<Anything>> {
    const { folder, source } = this.#testStore
    const workerId = `worker-${this.files.length + 1}`
    const file = join(folder, workerId)
    this.files.push(file)
    const extra = { ids: IDS, file, lanes: LANES }
    const job = { redis: url, namespace: NAMESPACE, workerId, id: '', source, extra }
    const worker = await forkWorker<Anything>('anything', job)
    onTestFinished(() => worker.kill())
    await worker.ask('start')
    return worker
  }

  async replace(place: Place): Promise<void> {
    await place.worker.kill()
    this.killed += 1
    place.proxy.restore()
    place.worker = await this.#fork(place.proxy)
  }

  async stop(): Promise<void> {
    await Promise.all(this.places.map(({ worker }) => worker.ask('stop')))
    await Promise.all(this.places.map(({ worker }) => worker.kill()))
  }
}

/** How long a fault lasts. */
const moments = (ms: number) => sleep(ms)

/** What goes wrong, in turn. */
const FAULTS: readonly ((testStore: TestStore, fleet: Fleet, place: Place) => unknown)[] = [
  (_ground, _fleet, { proxy }) => {
    proxy.loseReplies('evalsha', 3)
  },
  async (_ground, _fleet, { proxy }) => {
    proxy.cut()
    await moments(30)
    proxy.restore()
  },
  ({ redis }) => redis.script('FLUSH'),
  (_ground, _fleet, { proxy }) => {
    proxy.loseReplies('evalsha')
  },
  (_ground, fleet, place) => fleet.replace(place),
  async ({ server }) => {
    process.kill(server.pid, 'SIGSTOP')
    await moments(200)
    process.kill(server.pid, 'SIGCONT')
  },
]

/** Traffic and trouble until enough was done; how much trouble. */
async function disturb(given: TestStore, fleet: Fleet): Promise<number> {
  const done = () => given.redis.llen(journalKey(NAMESPACE))
  let faults = 0
  for (let next = FAULT_EVERY; next < OPERATIONS; next = (await done()) + FAULT_EVERY) {
    await eventually(async () => (await done()) >= next, { what: `${next} operations`, timeoutMs: 60_000 })
    const place = fleet.places[faults % WORKERS]
    if (place !== undefined) await FAULTS[faults % FAULTS.length]?.(given, fleet, place)
    faults += 1
  }
  await eventually(async () => (await done()) >= OPERATIONS, { what: 'enough operations', timeoutMs: 60_000 })
  return faults
}

/** What was on its way runs before anybody looks. */
async function quiet({ redis }: TestStore): Promise<void> {
  const connected = async () =>
    String(await redis.client('LIST'))
      .trim()
      .split('\n').length
  await eventually(async () => (await connected()) <= 2, 'all wires are gone')
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** Final state, history and events: Redis's are what the rules end with. */
async function compareEnds({ store }: TestStore, replayed: Replay): Promise<void> {
  for (const [id, settings] of Object.entries(SETTINGS)) {
    const snapshot = await store.snapshot(id)
    replayed.nowMs = snapshot.nowMs
    expect(snapshot, id).toEqual(await replayed.store.snapshot(id))
    const since = snapshot.nowMs - settings.history.windowMs
    const history = await store.history(id, EVERYTHING, since)
    expect(history, id).toEqual(await replayed.store.history(id, EVERYTHING, since))
    // The stream is capped at about a thousand, the memory store at exactly so many.
    const events = await store.events(id, 900)
    expect(events, id).toEqual(await replayed.store.events(id, 900))
    const generations = events.map((event) => event.generation)
    expect(generations, id).toEqual([...generations].sort((a, b) => a - b))
  }
}

test(
  `${OPERATIONS} operations of ${WORKERS} processes, whatever happens on the way, are those of one order`,
  { timeout: 900_000 },
  async () => {
    const given = await testStore()
    const { log } = given
    const fleet = new Fleet(given)
    await fleet.start()
    const began = performance.now()
    const faults = await disturb(given, fleet)
    await fleet.stop()
    await quiet(given)
    const tookMs = performance.now() - began
    for (const file of fleet.files) await readLog(file, log)
    const journal = parseJournal(await given.redis.lrange(journalKey(NAMESPACE), 0, -1))
    const replayed = new Replay(log)
    const replayBegan = performance.now()
    await replayed.run(journal)
    const { figures } = replayed
    const resent = [...log.values()].filter(({ sent }) => sent.includes('"resent":true')).length
    console.log(
      `replay: ${figures.operations} operations of ${WORKERS} processes in ${seconds(tookMs)}, ` +
        `${figures.transitions} transitions, ${faults} faults, ${fleet.killed} processes killed\n` +
        `  ${resent} batches resent, ${figures.duplicates} of them applied before; ${figures.late} commands too late; ` +
        `${figures.unanswered} ran unanswered, ${log.size - figures.operations} never ran\n` +
        `  order checked: ${figures.compared} replies and the final states, in ${seconds(performance.now() - replayBegan)}`,
    )
    expect(replayed.wrong).toEqual([])
    await compareEnds(given, replayed)
    expect(figures.operations).toBeGreaterThanOrEqual(OPERATIONS)
    // Without these nothing was put to the test.
    for (const what of ['duplicates', 'late', 'unanswered', 'transitions'] as const) {
      expect(figures[what], what).toBeGreaterThan(0)
    }
    expect(fleet.killed).toBeGreaterThan(0)
  },
)
