// P5: what the scripts cost Redis, by Redis's own clock: beside a script that reads and writes the least there is, with
// a long history beside a short one, and with a large batch beside a small one.
import { Redis } from 'ioredis'
import { quantile, row, scriptCalls, startRedis } from './lib.mjs'
import { clock, draws, mixedOutcome, movedClock, openStore, registerFor, Sender } from './parts/store.mjs'

const CALLS = 2_000
const AT_ONCE = 50
const ROUNDS = 11

/** What any shared breaker must do at least: read the circuit, write it, and add to the history. */
const BARE = `
local circuit = redis.call('HMGET', KEYS[1], 'state', 'generation', 'consecutive_failures', 'retry_at_ms')
redis.call('HSET', KEYS[1], 'consecutive_failures', ARGV[1], 'last_now_ms', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
return circuit[1]`

export async function run() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  redis.defineCommand('bare', { numberOfKeys: 2, lua: BARE })
  const real = await openStore(server.url, { namespace: 'real' })
  const moved = await openStore(server.url, { namespace: 'moved', source: movedClock })
  const time = await clock(moved.connection)
  try {
    const measure = (contenders) => usecByTurns(redis, contenders)
    return [
      ...(await besideBare(redis, real.store, measure)),
      await longHistory(moved.store, time, measure),
      await largeBatch(real.store, measure),
    ]
  } finally {
    real.close()
    moved.close()
    await redis.quit()
    await server.stop()
  }
}

/** usec of a script call, by turns, the fastest quarter of the rounds: the machine only ever adds to it. */
async function usecByTurns(redis, contenders) {
  const found = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, call] of Object.entries(contenders)) {
      await redis.config('RESETSTAT')
      for (let i = 0; i < CALLS; i += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => call(i + n)))
      const { calls, usec } = await scriptCalls(redis)
      // The first round warms up.
      if (round > 0) found[name].push(usec / calls)
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, quantile(values, 0.25)]))
}

const TRIAL = { worker: 'bench', origin: 'call', token: 'bench', leaseMs: 0, minGapMs: 0 }
const HAND = { worker: 'bench', knownVersion: 0, actor: '', reason: 'bench' }
const RATES = { failureRate: 0.5, degradedRate: 0.8 }
const QUORUM = { failureThreshold: 10, failureRate: 0.5, quorum: 2 }
const NEVER_LATE = { notAfterMs: Number.MAX_SAFE_INTEGER }

async function besideBare(redis, store, measure) {
  const sender = new Sender(store, 'one', await registerFor(store, 'one'))
  const prober = new Sender(store, 'probed', await registerFor(store, 'probed'))
  const rated = new Sender(store, 'rated', await registerFor(store, 'rated', { breaker: RATES }))
  const believed = new Sender(store, 'believed', await registerFor(store, 'believed', { breaker: QUORUM }), {
    reporter: { failureDomain: 'node-1', tried: true, ownFailures: 0, ownSinceMs: 0 },
  })
  const { version: knownVersion } = await registerFor(store, 'asked')
  await registerFor(store, 'tripped')
  const circuit = { state: 'closed', generation: 1, consecutive_failures: 0, retry_at_ms: 0 }
  await redis.hset('{bare}:circuit', circuit)
  let n = 0
  const usec = await measure({
    record: () => sender.send([['healthy', 1]]),
    rates: () => rated.send([['healthy', 1]]),
    quorum: () => believed.send([['healthy', 1]]),
    probe: () => prober.send([['healthy', 1]], 'probe'),
    admit: () => store.admit('asked', { ...TRIAL, ...NEVER_LATE, knownVersion }),
    trip: (i) =>
      i % 2 === 0
        ? store.trip('tripped', { ...HAND, ...NEVER_LATE, forMs: null })
        : store.reset('tripped', { ...HAND, ...NEVER_LATE }),
    bare: () => {
      n += 1
      // As many members as our history has: one, which is written over.
      return redis.bare('{bare}:circuit', '{bare}:history', n % 2, Date.now(), 'member')
    },
  })
  const { bare: peer } = usec
  const beside = (what, ours, target) =>
    row('P5', `${what}, beside HMGET + HSET + ZADD`, { ours, peer, unit: 'us', ratio: ours / peer, target })
  return [
    beside('record, one outcome', usec.record, 6.5),
    beside('record, rate rules on', usec.rates, 7.5),
    beside('record, rate rules and a quorum on', usec.quorum),
    beside("record, a probe's result", usec.probe),
    beside('admit, closed', usec.admit),
    beside('trip and reset by turns', usec.trip),
  ]
}

/** Both full, so that both evict; the window moves on under them. */
async function longHistory(store, time, measure) {
  const [short, long] = await Promise.all([
    full(store, time, 'short', 100),
    full(store, time, 'long', 100_000),
  ])
  const next = draws(7)
  const call = (sender) => async (i) => {
    if (i % 10 === 0) await time.advance(5)
    await sender.send([[mixedOutcome(next()), 1]])
  }
  const usec = await measure({ long: call(long), short: call(short) })
  const { long: ours, short: peer } = usec
  return row('P5', 'record, a history of 100 000, beside one of 100', {
    ours,
    peer,
    unit: 'us',
    ratio: ours / peer,
    target: 1.2,
  })
}

async function full(store, time, id, maxRecords) {
  const settings = { breaker: { failureThreshold: 1_000_000 }, history: { maxRecords } }
  const sender = new Sender(store, id, await registerFor(store, id, settings))
  const next = draws(3)
  const BATCHES = 500
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await time.advance(50)
    await sender.send(Array.from({ length: (1.1 * 100_000) / BATCHES }, () => [mixedOutcome(next()), 1]))
  }
  return sender
}

async function largeBatch(store, measure) {
  const one = new Sender(store, 'small', await registerFor(store, 'small'))
  const many = new Sender(store, 'large', await registerFor(store, 'large'))
  const usec = await measure({
    many: () => many.send([['healthy', 1_000]]),
    one: () => one.send([['healthy', 1]]),
  })
  const { many: ours, one: peer } = usec
  return row('P5', 'record, a batch of 1 000 equal outcomes, beside one of 1', {
    ours,
    peer,
    unit: 'us',
    ratio: ours / peer,
    target: 1.3,
  })
}
