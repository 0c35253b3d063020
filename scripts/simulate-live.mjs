// `npm run simulate:live [-- --runs <n>]`: the same fleet and the same fault, once simulated and once live, on a real Redis of its own, with
// a quorum and without.
// Openings and shares are to agree within a tenth, and the time to notice within 100 ms.
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../dist/embedded/index.js'
import { connect } from '../dist/index.js'
import { simulate } from '../dist/testing.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' } } })
const runs = Number(values.runs)
if (!(Number.isInteger(runs) && runs >= 1 && runs <= 100)) {
  console.error(`--runs: expected 1 to 100, got ${values.runs}`)
  process.exit(64)
}

const FLEET = { workers: 5, rate: 100, latencyMs: 50, seconds: 20 }
const WARM_UP_MS = 5_000
const FAILS_IN_MS = 5
const SIMULATED_SEEDS = 20
/** The time that a simulation goes on after its fault, ms. */
const COOL_DOWN_MS = 10_000
const COOLDOWN = { cooldownMs: 2_000 }
const ADVISED = { ...COOLDOWN, failureThreshold: 10, failureRate: 0.5, quorum: 2 }
const RATE = { ...COOLDOWN, failureThreshold: null, failureRate: 0.4, rateWindowMs: 2_000 }
const BAD_WORKER = { source: { ...FLEET, scenario: 'one_bad_worker' }, fails: (worker) => worker === 0 }
const BROWNOUT = {
  source: { ...FLEET, scenario: 'brownout', errors: 0.6 },
  fails: () => Math.random() < 0.6,
}
const CASES = [
  { name: 'one_bad_worker', breaker: { ...COOLDOWN, failureThreshold: 3 }, ...BAD_WORKER },
  { name: 'one_bad_worker', breaker: ADVISED, ...BAD_WORKER },
  { name: 'brownout', breaker: RATE, ...BROWNOUT },
  { name: 'brownout', breaker: { ...RATE, quorum: 2 }, ...BROWNOUT },
].map(({ breaker, ...each }) => ({ ...each, quorum: breaker.quorum ?? 1, settings: { breaker } }))

const exponential = (mean) => -Math.log(1 - Math.random()) * mean

/** One worker: calls come as a Poisson process, whatever becomes of those before. */
async function work({ provider, worker, fails, fault, tally }) {
  let at = performance.now()
  while (at < fault.until) {
    at += exponential(1_000 / FLEET.rate)
    const waitMs = at - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    const bad = at >= fault.from && fails(worker)
    call({ provider, bad, counts: at >= fault.from, tally }).catch(() => undefined)
  }
}

async function call({ provider, bad, counts, tally }) {
  const good = counts && !bad
  if (good) tally.good += 1
  if (bad) tally.bad += 1
  const latencyMs = bad ? FAILS_IN_MS : exponential(FLEET.latencyMs)
  try {
    await provider.execute(async () => {
      if (bad) tally.failed += 1
      await sleep(latencyMs)
      if (bad) throw Object.assign(new Error('HTTP 503'), { status: 503 })
    })
  } catch (error) {
    if (good && error.code !== undefined) tally.refused += 1
  }
}

async function live(url, id, { settings, fails }) {
  const connectOne = (n) =>
    connect({
      redis: url,
      namespace: 'live',
      workerId: `worker-${n}`,
      failureDomain: `domain-${n}`,
      logger: false,
      commandTimeoutMs: 2_000,
    })
  const fleet = await Promise.all(Array.from({ length: FLEET.workers }, (_, n) => connectOne(n)))
  try {
    const providers = await Promise.all(fleet.map((busbar) => busbar.provider(id, settings)))
    const from = performance.now() + WARM_UP_MS
    const fault = { from, until: from + FLEET.seconds * 1_000 }
    const tally = {
      good: 0,
      refused: 0,
      bad: 0,
      failed: 0,
      openings: 0,
      openedAfterMs: null,
      namedAfterMs: null,
    }
    const since = ({ providerId }) => (providerId === id ? performance.now() - from : -1)
    fleet[1].on('opened', (event) => {
      const afterMs = since(event)
      if (afterMs < 0) return
      tally.openings += 1
      tally.openedAfterMs ??= afterMs
    })
    fleet[1].on('worker_suspected', (event) => {
      const afterMs = since(event)
      if (afterMs >= 0) tally.namedAfterMs ??= afterMs
    })
    await Promise.all(providers.map((provider, worker) => work({ provider, worker, fails, fault, tally })))
    return tally
  } finally {
    await Promise.all(fleet.map((busbar) => busbar.close()))
  }
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
/** Of those in which it happened; null: in none. */
const meanOf = (times) => (times.some((ms) => ms !== null) ? mean(times.filter((ms) => ms !== null)) : null)

function figures(results) {
  return {
    openings: mean(results.map(({ openings }) => openings)),
    'ms to open': meanOf(results.map(({ openedAfterMs }) => openedAfterMs)),
    'ms to name': meanOf(results.map(({ namedAfterMs }) => namedAfterMs)),
    'share of good calls refused': mean(results.map(({ refused, good }) => refused / good)),
    'share of bad calls refused': mean(results.map(({ failed, bad }) => 1 - failed / bad)),
  }
}

const withinATenth = (live, simulated) => Math.abs(live - simulated) <= 0.1 * Math.max(live, simulated)
const within100Ms = (live, simulated) =>
  live === null || simulated === null ? live === simulated : Math.abs(live - simulated) <= 100
const agrees = {
  openings: withinATenth,
  'ms to open': within100Ms,
  'ms to name': within100Ms,
  'share of good calls refused': withinATenth,
  'share of bad calls refused': withinATenth,
}

function simulated({ settings, source }, seed) {
  const result = simulate(settings, { ...source, seed })
  const { goodRefused, goodCalls, doomedLetThrough, doomedCalls, failedTrials, ...rest } = result
  const openings = result.events.filter(
    ({ kind, at }) => kind === 'opened' && at < result.durationMs - COOL_DOWN_MS,
  ).length
  const { openedAfterMs, namedAfterMs } = rest
  return {
    ...{ openings, openedAfterMs, namedAfterMs, refused: goodRefused, good: goodCalls },
    ...{ failed: doomedLetThrough + failedTrials, bad: doomedCalls },
  }
}

function show(number) {
  if (number === null) return 'never'.padStart(9)
  return number.toFixed(number < 1 ? 3 : 1).padStart(9)
}

const server = await startRedis()
let apart = 0
try {
  for (const each of CASES) {
    const lived = []
    for (let run = 0; run < runs; run += 1)
      lived.push(await live(server.url, `${each.name}-${each.quorum}-${run}`, each))
    const made = Array.from({ length: SIMULATED_SEEDS }, (_, seed) => simulated(each, seed))
    const [ours, theirs] = [figures(lived), figures(made)]
    for (const [what, holds] of Object.entries(agrees)) {
      const fits = holds(ours[what], theirs[what])
      if (!fits) apart += 1
      console.log(
        `${each.name.padEnd(14)} quorum ${each.quorum}  ${what.padEnd(30)} live ${show(ours[what])}  simulated ${show(theirs[what])}  ${fits ? 'agrees' : 'APART'}`,
      )
    }
  }
} finally {
  await server.stop()
}
process.exitCode = apart === 0 ? 0 : 1
