// P10: what a provider costs its Redis, and how soon its death is known, with 20, 200 and 2 000 workers.
import { Redis } from 'ioredis'
import { info, median, pause, row, scriptCalls, startRedis } from './lib.mjs'
import { startSimulatedFleet } from './parts/simulated-fleet.mjs'

const SIZES = [20, 200, 2_000]
const TRAFFIC = { callsPerSecond: 100, failingShare: 0.01 }
const BUDGET = 1_000
const DETECTION_MS = 50
const SETTLE_MS = 8_000
const MEASURE_MS = 10_000
const DEATHS = 5
/** After a death the fleet is new to its traffic: it settles again. */
const BETWEEN_DEATHS_MS = 5_000

export async function run() {
  const rows = []
  for (const workers of SIZES) rows.push(...(await measure(workers)))
  return rows
}

async function measure(workers) {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const settings = { breaker: { failureThreshold: 10, cooldownMs: 600_000 } }
  const fleet = await startSimulatedFleet(server.url, { workers, ...TRAFFIC, settings })
  try {
    fleet.start(3_000)
    await pause(SETTLE_MS)
    const steady = await load(redis, fleet)
    const deaths = []
    for (let i = 0; i < DEATHS; i += 1) {
      deaths.push(await fleet.die())
      await pause(300)
      await fleet.recover()
      await pause(BETWEEN_DEATHS_MS)
    }
    return rowsOf(workers, steady, deaths)
  } finally {
    await fleet.stop()
    await redis.quit()
    await server.stop()
  }
}

async function load(redis, fleet) {
  await redis.config('RESETSTAT')
  const [before, calls, began] = [await cpuSeconds(redis), fleet.calls, performance.now()]
  await pause(MEASURE_MS)
  const seconds = (performance.now() - began) / 1_000
  const { calls: scripts } = await scriptCalls(redis)
  return {
    scriptsPerSecond: scripts / seconds,
    callsPerSecond: (fleet.calls - calls) / seconds,
    cpuShare: ((await cpuSeconds(redis)) - before) / seconds,
    falseTrip: fleet.opened,
  }
}

async function cpuSeconds(redis) {
  const cpu = await info(redis, 'cpu')
  return Number(cpu.used_cpu_sys) + Number(cpu.used_cpu_user)
}

function rowsOf(workers, steady, deaths) {
  const { scriptsPerSecond, callsPerSecond, cpuShare, falseTrip } = steady
  const of = `${workers.toLocaleString('en').replace(',', ' ')} workers`
  const note = [
    `${callsPerSecond.toFixed(0)} calls/s`,
    `Redis ${(100 * cpuShare).toFixed(1)} % of a core`,
    falseTrip ? 'TRIPPED WITHOUT CAUSE' : '',
  ]
  const ms = median(deaths.map((death) => death.ms))
  const doomed = median(deaths.map((death) => death.doomed))
  const times = deaths.map((death) => death.ms.toFixed(0)).join(', ')
  return [
    row('P10', `script calls per second, ${of}`, {
      ours: scriptsPerSecond,
      peer: BUDGET,
      unit: 'calls/s',
      ratio: scriptsPerSecond / BUDGET,
      target: 1,
      note: note.filter(Boolean).join('; '),
    }),
    row('P10', `death until the last refuses, ${of}`, {
      ours: ms,
      peer: DETECTION_MS,
      unit: 'ms',
      ratio: ms / DETECTION_MS,
      target: 1,
      note: `each: ${times}; ${doomed} doomed calls, ${(doomed / workers).toFixed(1)} per worker`,
    }),
  ]
}
