// Hours of bad luck in some minutes: four workers with traffic and probes, and a fault every few seconds. After each fault
// the workers must be back by themselves; at the end nothing may have grown.
//
//   npm run soak -- [--minutes 10] [--every 20] [--json]
//
// `--every`: seconds from one fault to the next. Ends with 1 when a bound was broken, or a worker died that nobody killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { holdsWithin } from '../eventually.mjs'
import { faults } from './faults.mjs'
import { COMMAND_TIMEOUT_MS, startSoakFleet } from './soak-fleet.mjs'
import { brokenBounds, faultLine, growthTable, judgeGrowth } from './report.mjs'

/** After a fault all workers must decide by Redis again, and probes go on, within this, ms. */
const DEADLINE_MS = 15_000
/** A call may wait for one command, and for as long as its own process stood still, and this, ms. */
const MARGIN_MS = 50

async function msUntil(condition) {
  const began = performance.now()
  return (await holdsWithin(condition, DEADLINE_MS)) ? Math.round(performance.now() - began) : null
}

/** Whether every worker decides about every provider by what Redis says, or said a moment ago. */
async function back({ all }) {
  const sources = (await all('sources')).flat()
  return sources.every((source) => source === 'redis' || source === 'cache')
}

async function suffer(fleet, name) {
  const { all, upstream } = fleet
  // A worker that stood still while it was measured may believe for a moment that Redis did.
  await msUntil(() => back(fleet))
  await all('waited')
  await faults[name](fleet)
  const { requests } = upstream
  const [backMs, probedMs] = await Promise.all([
    msUntil(() => back(fleet)),
    msUntil(() => upstream.requests > requests),
  ])
  const waits = await all('waited')
  const longest = (of) => Math.round(Math.max(...waits.map(of)))
  const longestWaitMs = longest((one) => one.longestWaitMs)
  const overMs = longest((one) => one.longestWaitMs - one.lagMs)
  return { name, backMs, probedMs, longestWaitMs, overMs }
}

/** Means of the workers that live throughout; and Redis. */
async function sample({ all, admin }) {
  const measured = (await all('measure')).slice(0, -1)
  const mean = (key) => measured.reduce((sum, one) => sum + one[key], 0) / measured.length
  const info = `${await admin.info('memory')}${await admin.info('clients')}`
  const field = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
  return {
    rss: mean('rss'),
    heapUsed: mean('heapUsed'),
    handles: mean('handles'),
    fds: mean('fds'),
    redisMemory: field('used_memory'),
    redisKeys: await admin.dbsize(),
    redisClients: field('connected_clients'),
  }
}

async function soak(fleet, { minutes, every, say }) {
  const began = performance.now()
  const names = Object.keys(faults)
  const [suffered, samples] = [[], []]
  while (performance.now() - began < minutes * 60_000) {
    const next = performance.now() + every * 1_000
    const fault = await suffer(fleet, names[suffered.length % names.length])
    suffered.push(fault)
    say(faultLine((performance.now() - began) / 1_000, fault))
    await sleep(Math.max(0, next - performance.now()))
    samples.push(await sample(fleet))
  }
  const seen = await fleet.seen()
  const growth = judgeGrowth(samples)
  const broken = brokenBounds({ suffered, growth, seen, limitMs: COMMAND_TIMEOUT_MS + MARGIN_MS })
  const sum = (key) => seen.reduce((total, one) => total + one[key], 0)
  const totals = {
    faults: suffered.length,
    calls: sum('calls'),
    probes: fleet.upstream.requests,
    longestWaitMs: Math.max(...suffered.map(({ longestWaitMs }) => longestWaitMs)),
    outcomesLost: sum('lost'),
    unhandled: sum('unhandled'),
  }
  return { totals, broken, growth, suffered, samples, seen }
}

function report({ totals, broken, growth }) {
  console.log(`\n${growthTable(growth)}\n`)
  console.log(
    `${totals.faults} faults, ${totals.calls} calls, ${totals.probes} probes; ` +
      `longest wait ${totals.longestWaitMs} ms (commandTimeoutMs ${COMMAND_TIMEOUT_MS}); ` +
      `${totals.outcomesLost} outcomes given up; ${totals.unhandled} unhandled rejections`,
  )
  console.log(broken.length === 0 ? 'every bound held' : broken.map((line) => `BROKEN: ${line}`).join('\n'))
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    every: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
})
const [minutes, every] = [values.minutes, values.every].map(Number)
if (!(minutes > 0 && every > 0)) {
  console.error('soak: --minutes and --every take numbers above 0')
  process.exit(64)
}
const say = values.json ? () => undefined : (line) => console.log(line)
const fleet = await startSoakFleet()
try {
  say(`${fleet.workers.length} workers for ${minutes} minutes, a fault every ${every} s`)
  const found = await soak(fleet, { minutes, every, say })
  if (values.json) console.log(JSON.stringify({ minutes, every, ...found }))
  else report(found)
  process.exitCode = found.broken.length === 0 ? 0 : 1
} finally {
  await fleet.close()
}
