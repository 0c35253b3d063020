// P9: memory of a provider after a full window of mixed outcomes, at two rates.
import { Redis } from 'ioredis'
import { median, row, startRedis } from './lib.mjs'
import { clock, draws, mixedOutcome, movedClock, openStore, registerFor, Sender } from './parts/store.mjs'

const WORKERS = 50
/** Each worker flushes so often, ms. */
const FLUSH_MS = 100
const WINDOW_MS = 60_000
/** The history is tidied up in lumps, so its size is looked at more than once. */
const LOOKS = 20
const BETWEEN_LOOKS_MS = 700

export async function run() {
  const slow = await bytesAt(1_000)
  const fast = await bytesAt(10_000)
  const note = `a window of ${slow.outcomes} and of ${fast.outcomes} outcomes`
  const [ours, peer] = [fast.bytes, slow.bytes]
  return [
    row('P9', 'memory, 10 000 outcomes/s beside 1 000/s', {
      ours,
      peer,
      unit: 'bytes',
      ratio: ours / peer,
      target: 1.1,
      note,
    }),
  ]
}

async function bytesAt(perSecond) {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const { store, connection, close } = await openStore(server.url, { source: movedClock })
  const time = await clock(connection)
  try {
    const settings = {
      breaker: { failureThreshold: 1_000_000 },
      history: { maxRecords: 1_000_000, windowMs: WINDOW_MS },
    }
    const snapshot = await registerFor(store, 'p9', settings)
    const senders = Array.from(
      { length: WORKERS },
      (_, i) => new Sender(store, 'p9', snapshot, { incarnation: `incarnation-${i}` }),
    )
    const traffic = { senders, time, perSecond, next: draws(11) }
    await play(traffic, WINDOW_MS * 1.05)
    const looks = []
    for (let i = 0; i < LOOKS; i += 1) {
      await play(traffic, BETWEEN_LOOKS_MS)
      looks.push(await bytesOf(redis, 'busbar:{p9}:*'))
    }
    const { snapshot: last } = await store.snapshot('p9')
    return { bytes: median(looks), outcomes: last.historyTotal }
  } finally {
    close()
    await redis.quit()
    await server.stop()
  }
}

/** Each worker in its turn sends what it gathered since its last flush. */
async function play({ senders, time, perSecond, next }, ms) {
  const stepMs = FLUSH_MS / WORKERS
  const perBatch = (perSecond * FLUSH_MS) / 1_000 / WORKERS
  for (let step = 0; step < ms / stepMs; step += WORKERS) {
    for (const sender of senders) {
      time.advance(stepMs)
      sender.send(mixedRuns(perBatch, next))
    }
    // One connection answers in order: this waits for all of them.
    await time.advance(0)
  }
}

/** Equal outcomes in a row are one run, as in the outbox. */
function mixedRuns(count, next) {
  const runs = []
  for (let i = 0; i < count; i += 1) {
    const outcome = mixedOutcome(next())
    if (runs.at(-1)?.[0] === outcome) runs.at(-1)[1] += 1
    else runs.push([outcome, 1])
  }
  return runs
}

async function bytesOf(redis, pattern) {
  let bytes = 0
  for (const key of await redis.keys(pattern)) bytes += await redis.memory('USAGE', key, 'SAMPLES', 0)
  return bytes
}
