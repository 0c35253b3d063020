// Processes race for the trial of one half-open circuit, let go together, again and again. Exactly one may win each time.
// `node test/harness/trial-race.mjs [--cycles 200] [--processes 8] [--lua <folder>]`: with a folder of changed scripts it shows
// whether they still hold.
import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'

import { forkWorker } from './workers/fork.mjs'

const ID = 'raced'
const COOLDOWN_MS = 1_000
const START_MS = 1_700_000_000_000

/** The scripts' clock is a key that we move, so that 200 cooldowns take no time. */
const clockDouble = (key) =>
  `local function clock_reading_ms()\n  return tonumber(redis.call('GET', '${key}'))\nend`

/**
 * Runs the race on a Redis in a namespace of its own. Every second trial fails and re-opens the circuit, the others
 * close it.
 */
export async function trialRace({ url, namespace, luaDir, cycles = 200, processes = 8 }) {
  const { connectWith } = await import('../../dist/connect.js')
  const redis = new Redis(url)
  const clockKey = `${namespace}:test-clock`
  const signal = `${namespace}:test-signal`
  const source = { dir: luaDir, overrides: { 'lib/now': clockDouble(clockKey) } }
  let nowMs = START_MS
  await redis.set(clockKey, nowMs)
  const settings = { breaker: { failureThreshold: 3, cooldownMs: COOLDOWN_MS } }
  const busbar = await connectWith(
    { redis: url, namespace, logger: false, consistency: 'strict', commandTimeoutMs: 5_000 },
    source,
  )
  const provider = await busbar.provider(ID, settings)
  const start = (_, i) =>
    forkWorker('racer', { redis: url, namespace, workerId: `racer-${i}`, id: ID, source, extra: { signal } })
  const racers = await Promise.all(Array.from({ length: processes }, start))
  const result = { pids: racers.map(({ pid }) => pid), cycles, admitted: 0, refused: 0, overlaps: 0, odd: [] }
  const began = performance.now()
  try {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await open(provider)
      nowMs += COOLDOWN_MS
      await redis.set(clockKey, nowMs)
      const answers = racers.map((racer) => racer.ask('race'))
      await release(redis, signal, racers)
      const decisions = await Promise.all(answers)
      count(result, cycle, decisions)
      const winners = racers.filter((_, i) => decisions[i].admitted)
      await Promise.all(winners.map((racer) => racer.ask('leave', cycle % 2 === 0 ? 'healthy' : 'unhealthy')))
    }
    return {
      ...result,
      events: await provider.events({ count: 10 * cycles }),
      elapsedMs: performance.now() - began,
    }
  } finally {
    await Promise.all(racers.map((racer) => racer.kill()))
    await busbar.close()
    await redis.quit()
  }
}

/** Open, whether the last trial failed or not. Asked first, so that the failures bear the generation of now. */
async function open(provider) {
  const failures = (await provider.state()) === 'closed' ? 3 : 0
  for (let i = 0; i < failures; i += 1) await provider.recordFailure()
  const state = await provider.state()
  if (state !== 'open') throw new Error(`the circuit is ${state} and should be open`)
}

/** One message that reaches all at once. Each has been asked already, and each channel is in order: they are ready. */
async function release(redis, signal, racers) {
  await Promise.all(racers.map((racer) => racer.ask('ready')))
  await redis.publish(signal, 'go')
}

function count(result, cycle, decisions) {
  const admitted = decisions.filter((decision) => decision.admitted)
  result.admitted += admitted.length
  result.refused += decisions.length - admitted.length
  result.overlaps += decisions.filter((decision) => decision.overlap).length
  const odd = decisions.filter((decision) =>
    decision.admitted ? !decision.trial : decision.code !== 'no_trial_free',
  )
  for (const decision of odd) result.odd.push({ cycle, ...decision })
}

/** The figure, in one line. */
export function describeRace({ pids, cycles, admitted, refused, overlaps, elapsedMs }) {
  const seconds = (elapsedMs / 1_000).toFixed(1)
  return (
    `${pids.length} processes (pids ${pids.join(' ')}), ${cycles} cycles in ${seconds} s: ` +
    `${admitted} admitted, ${refused} refused, ${overlaps} overlaps`
  )
}

export function raceHeld({ pids, cycles, admitted, refused, overlaps, odd }) {
  return admitted === cycles && refused === cycles * (pids.length - 1) && overlaps === 0 && odd.length === 0
}

async function main() {
  const { values } = parseArgs({
    options: {
      lua: { type: 'string' },
      cycles: { type: 'string', default: '200' },
      processes: { type: 'string', default: '8' },
    },
  })
  const { startRedis } = await import('../../dist/embedded/index.js')
  const server = await startRedis()
  try {
    const result = await trialRace({
      url: server.url,
      namespace: `race-${randomBytes(4).toString('hex')}`,
      luaDir: values.lua,
      cycles: Number(values.cycles),
      processes: Number(values.processes),
    })
    console.log(describeRace(result))
    if (raceHeld(result)) return
    console.log(
      `failed: expected ${result.cycles} admitted, the rest refused with no_trial_free, and no overlap`,
    )
    process.exitCode = 1
  } finally {
    await server.stop()
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main()
