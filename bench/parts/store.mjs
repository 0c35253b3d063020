import { resolveSettings } from '../../dist/config/settings.js'
import { RedisConnection } from '../../dist/redis/connection.js'
import { RedisStore } from '../../dist/redis/store.js'

/** A store without a worker around it, so that a script can be measured alone, and one process can speak for many. */
export async function openStore(url, { namespace = 'busbar', source, commandTimeoutMs = 30_000 } = {}) {
  const onError = (error) => {
    throw error
  }
  const connection = new RedisConnection(url, { commandTimeoutMs, unref: false, onError })
  await connection.connect()
  const store = new RedisStore(connection, namespace, source)
  await store.ensureEpoch()
  return { store, connection, close: () => store.close() }
}

/** Registers a provider; answers its generation and version, which the scripts want to hear. */
export async function registerFor(store, id, settings = {}) {
  const request = { worker: 'bench', knownVersion: 0, mode: 'set', restore: null }
  const reply = await store.register(id, { ...request, settings: resolveSettings(settings, {}) })
  return reply.snapshot
}

/** One worker's batches, by hand: it numbers them. */
export class Sender {
  #sequence = 0

  /** `reporter`: what a batch says of its process where a quorum is set. */
  constructor(store, id, snapshot, { incarnation = 'bench', reporter = {} } = {}) {
    Object.assign(this, { store, id, snapshot, incarnation, reporter })
  }

  /** `outcomes`: [outcome, count], ... */
  send(outcomes, origin = 'call') {
    this.#sequence += 1
    return this.store.record(this.id, {
      worker: 'bench',
      knownVersion: this.snapshot.version,
      incarnation: this.incarnation,
      sequence: this.#sequence,
      resent: false,
      notAfterMs: Number.MAX_SAFE_INTEGER,
      lostMsAgo: null,
      jitterDraw: 0.5,
      flushIntervalMs: 100,
      maxBatchesPerSecond: 1_000_000,
      ...this.reporter,
      runs: outcomes.map(([outcome, count]) => runOf(origin, outcome, count, this.snapshot)),
    })
  }
}

const runOf = (origin, outcome, count, { generation, settingsRevision, markVersion }) => ({
  origin,
  outcome,
  count,
  generation,
  token: '',
  retryAfterMs: 0,
  settingsRevision: origin === 'probe' ? settingsRevision : 0,
  markVersion: origin === 'probe' ? markVersion : 0,
  detail: '',
  ageMs: 0,
})

const CLOCK_KEY = 'bench:clock'
const START_MS = 1_700_000_000_000

/** Lua in place of lib/now, which reads the time from a key: a minute of traffic need not take a minute. */
export const movedClock = {
  overrides: {
    'lib/now': `local function clock_reading_ms()\n  return tonumber(redis.call('GET', '${CLOCK_KEY}'))\nend`,
  },
}

/** Over the connection of the store it serves, so that time and batches arrive in the order they were sent. */
export async function clock(connection) {
  let nowMs = START_MS
  const set = () => connection.run('set', [CLOCK_KEY, nowMs])
  await set()
  return {
    advance: (ms) => {
      nowMs += ms
      return set()
    },
  }
}

/** Repeatable draws, 0 to 1, so that two runs see the same traffic. mulberry32. */
export function draws(seed) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Traffic as it may be: 95 % healthy, and some of each of the others. */
export function mixedOutcome(draw) {
  if (draw < 0.95) return 'healthy'
  if (draw < 0.97) return 'degraded'
  return draw < 0.985 ? 'unhealthy' : 'timeout'
}
