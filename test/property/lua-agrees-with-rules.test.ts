import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisStore } from '../../src/redis/store.js'
import { clockKey, LUA_SOURCE } from '../harness/clock.js'
import { figure } from '../harness/figure.js'
import { byForm } from '../harness/form.js'
import { redisUrl, testNamespace } from '../harness/redis.js'
import { isKnown, Recorder, type Witness } from './run.js'
import { sequence } from './steps.js'
import { Tally } from './tally.js'

const SEQUENCES = Number(process.env['BUSBAR_PROPERTY_RUNS'] ?? byForm({ short: 1_000, full: 10_000 }))
const SEED = Number(process.env['BUSBAR_PROPERTY_SEED'] ?? Date.now() % 2 ** 31)
/** For a machine that does other things too, ms. */
const LIMIT_MS = Math.max(600_000, SEQUENCES * 360)
const EVERYTHING = 1_000_000

const namespace = testNamespace()
let connection: RedisConnection
let store: RedisStore

beforeAll(async () => {
  const onError = (error: Error) => console.error(error)
  connection = new RedisConnection(redisUrl(), { commandTimeoutMs: 60_000, unref: false, onError })
  await connection.connect()
  store = new RedisStore(connection, namespace, LUA_SOURCE)
})

afterAll(() => store.close())

/**
 * Sends the operations without waiting for answers, each at its time: nothing in them depends on one. Only
 * `register` is more than one command, so it is waited for.
 */
async function replay(id: string, recorder: Recorder): Promise<Witness[]> {
  const witnesses: Promise<Witness>[] = []
  for (const { atMs, what, call, look } of recorder.operations) {
    const moved = connection.run('set', [clockKey(namespace), atMs])
    const reply = call(store)
    if (what === 'register') await reply
    const seen = look ? store.snapshot(id) : null
    const history = store.history(id, EVERYTHING, 0)
    const all = Promise.all([reply, seen, history, moved])
    witnesses.push(all.then(([reply, seen, history]) => ({ reply, seen, history })))
  }
  return Promise.all(witnesses)
}

/** The same moment, whoever answered: memory keeps stale runs out of its history, Redis leaves them to readers. */
function comparable({ reply, seen, history }: Witness, windowMs: number) {
  const known = isKnown(reply) ? (reply.snapshot?.at ?? reply.nowMs) : reply.nowMs
  return { reply, seen, history: history.filter((entry) => entry.at >= known - windowMs) }
}

test(`${SEQUENCES} random sequences end alike in Lua and in the rules`, { timeout: LIMIT_MS }, async () => {
  const tally = new Tally()
  let runs = 0
  console.log(`property seed ${SEED} (BUSBAR_PROPERTY_SEED repeats it)`)
  await fc.assert(
    fc.asyncProperty(sequence, async (given) => {
      runs += 1
      const id = `p${runs}`
      const recorder = new Recorder(id, given, tally)
      await recorder.run()
      const seen = await replay(id, recorder)
      const events = await store.events(id, EVERYTHING)
      const outages = await store.outages(id, EVERYTHING)
      const control = { worker: 'w', knownVersion: 0, actor: '', reason: '', notAfterMs: 9e12 }
      await store.remove(id, control)
      for (const [i, witness] of recorder.witnesses.entries()) {
        const { windowMs } = given.history
        const ours = seen[i] && comparable(seen[i], windowMs)
        const theirs = comparable(witness, windowMs)
        // The quick comparison first: half a million steps are compared.
        if (!isDeepStrictEqual(ours, theirs))
          expect(ours, `step ${i}, ${recorder.operations[i]?.what}`).toEqual(theirs)
      }
      expect(outages).toEqual(await recorder.store.outages(id, EVERYTHING))
      expect(events).toEqual(await recorder.store.events(id, EVERYTHING))
    }),
    { numRuns: SEQUENCES, seed: SEED, endOnFailure: process.env['BUSBAR_PROPERTY_SHRINK'] === undefined },
  )
  const rows = tally.rows(SEQUENCES / 10_000)
  figure(1, `${runs} random sequences, ${tally.steps} steps: Lua and rules agreed after each`)
  for (const { what, count, atLeast } of rows)
    console.log(`${what.padEnd(26)} ${String(count).padStart(8)}  (>= ${atLeast})`)
  expect(tally.steps / runs).toBeGreaterThanOrEqual(40)
  expect(rows.filter(({ count, atLeast }) => count < atLeast)).toEqual([])
})
