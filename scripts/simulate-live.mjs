// `npm run simulate:live [-- --runs <n>]`: the same fleet and the same fault, once simulated and once live, on a real Redis of its own.
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
const COOLDOWN = { cooldownMs: 2_000 }
const CASES = [
  {
    name: 'one_bad_worker',
    settings: { breaker: { ...COOLDOWN, failureThreshold: 3 } },
    source: { ...FLEET, scenario: 'one_bad_worker' },
    fails: (worker) => worker === 0,
  },
  {
    name: 'brownout',
    settings: { breaker: { ...COOLDOWN, failureThreshold: null, failureRate: 0.4, rateWindowMs: 2_000 } },
    source: { ...FLEET, scenario: 'brownout', errors: 0.6 },
    fails: () => Math.random() < 0.6,
  },
]

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
  const latencyMs = bad ? FAILS_IN_MS : exponential(FLEET.latencyMs)
  try {
    await provider.execute(async () => {
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
      logger: false,
      commandTimeoutMs: 2_000,
    })
  const fleet = await Promise.all(Array.from({ length: FLEET.workers }, (_, n) => connectOne(n)))
  try {
    const providers = await Promise.all(fleet.map((busbar) => busbar.provider(id, settings)))
    const from = performance.now() + WARM_UP_MS
    const fault = { from, until: from + FLEET.seconds * 1_000 }
    const tally = { good: 0, refused: 0, openings: 0, openedAfterMs: null }
    fleet[1].on('opened', ({ providerId }) => {
      if (providerId !== id || performance.now() < from) return
      tally.openings += 1
      tally.openedAfterMs ??= performance.now() - from
    })
    await Promise.all(providers.map((provider, worker) => work({ provider, worker, fails, fault, tally })))
    return tally
  } finally {
    await Promise.all(fleet.map((busbar) => busbar.close()))
  }
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

function figures(results) {
  return {
    openings: mean(results.map(({ openings }) => openings)),
    'ms to open': mean(results.map(({ openedAfterMs }) => openedAfterMs ?? NaN)),
    'share of good calls refused': mean(results.map(({ share }) => share)),
  }
}

const withinATenth = (live, simulated) => Math.abs(live - simulated) <= 0.1 * Math.max(live, simulated)
const agrees = {
  openings: withinATenth,
  'ms to open': (live, simulated) => Math.abs(live - simulated) <= 100,
  'share of good calls refused': withinATenth,
}

const server = await startRedis()
let apart = 0
try {
  for (const each of CASES) {
    const lived = []
    for (let run = 0; run < runs; run += 1) {
      const { good, refused, ...rest } = await live(server.url, `${each.name}-${run}`, each)
      lived.push({ ...rest, share: refused / good })
    }
    const seeds = Array.from({ length: SIMULATED_SEEDS }, (_, seed) => seed)
    const made = seeds.map((seed) => {
      const result = simulate(each.settings, { ...each.source, seed })
      const during = result.events.filter(
        ({ kind, at }) => kind === 'opened' && at < result.durationMs - 10_000,
      )
      return { openings: during.length, openedAfterMs: result.openedAfterMs, share: result.goodRefusedShare }
    })
    const [ours, theirs] = [figures(lived), figures(made)]
    for (const [what, holds] of Object.entries(agrees)) {
      const fits = holds(ours[what], theirs[what])
      if (!fits) apart += 1
      const shown = [ours[what], theirs[what]].map((number) => number.toFixed(number < 1 ? 3 : 1).padStart(9))
      console.log(
        `${each.name.padEnd(16)} ${what.padEnd(28)} live ${shown[0]}  simulated ${shown[1]}  ${fits ? 'agrees' : 'APART'}`,
      )
    }
  }
} finally {
  await server.stop()
}
process.exitCode = apart === 0 ? 0 : 1
