import type { Outcome } from '../model/words.js'
import { exponential } from './random.js'
import type { ScenarioName, ScenarioOptions } from './source.js'
import type { FaultTime } from './tally.js'
import type { WantedCall } from './simulated-worker.js'

/** A scenario with everything filled in. */
export interface Plan {
  readonly scenario: ScenarioName
  readonly workers: number
  readonly domains: number
  readonly rate: number
  readonly errors: number
  readonly latencyMs: number
  readonly fault: FaultTime
  readonly endMs: number
}

/** One life of a process. */
export interface Life {
  readonly name: string
  readonly domain: string
  /** Number of the worker that it is one life of, and of its domain. */
  readonly worker: number
  readonly domainNumber: number
  readonly fromMs: number
  readonly untilMs: number
  /** Calls, 1/s. */
  readonly rate: number
  /** Whether it was started with what is broken: a bad deploy. */
  readonly broken: boolean
}

/** Ordinary traffic before the fault, and after it. */
const WARM_UP_MS = 20_000
const COOL_DOWN_MS = 10_000
/** How long a call takes that fails, and one that hangs until its time limit, ms. */
const FAILS_IN_MS = 5
const TIMEOUT_MS = 1_000
const FLAP_MS = 5_000
const RESTART_MS = 3_000
/** After so much of the fault all but the bad domain heal. */
const HEALS_AFTER = 0.5
/** Share of the calls that the busy bad domain makes. */
const BUSY_SHARE = 0.5

const ERRORS: Partial<Record<ScenarioName, number>> = { steady: 0.01, cold_start: 0.05, brownout: 0.5 }
const FAULTLESS: readonly ScenarioName[] = ['steady', 'cold_start']

export function planOf(options: ScenarioOptions): Plan {
  const { scenario, workers = 10, domains = workers, rate = 50, latencyMs = 50 } = options
  const { errors = ERRORS[scenario] ?? 0, seconds = scenario === 'steady' ? 600 : 120 } = options
  const fromMs = FAULTLESS.includes(scenario) ? 0 : WARM_UP_MS
  const untilMs = fromMs + seconds * 1_000
  const endMs = FAULTLESS.includes(scenario) ? untilMs : untilMs + COOL_DOWN_MS
  return { scenario, workers, domains, rate, errors, latencyMs, fault: { fromMs, untilMs }, endMs }
}

/** Every life of every worker, in the order of their beginnings. */
export function livesOf(plan: Plan): Life[] {
  return Array.from({ length: plan.workers }, (_, worker) => livesOfWorker(plan, worker))
    .flat()
    .sort((a, b) => a.fromMs - b.fromMs)
}

function livesOfWorker(plan: Plan, worker: number): Life[] {
  const { scenario, domains, workers, fault, endMs } = plan
  const domainNumber = worker % domains
  const life = (fromMs: number, untilMs: number, name: string, broken = false): Life => ({
    name,
    domain: `domain-${domainNumber}`,
    worker,
    domainNumber,
    fromMs,
    untilMs,
    rate: rateOf(plan, domainNumber),
    broken,
  })
  const name = `worker-${worker}`
  const deployed = scenario === 'bad_deploy' && worker < Math.max(1, Math.round(workers / 5))
  if (deployed) return [life(0, fault.fromMs, name), life(fault.fromMs, endMs, `${name}-new`, true)]
  if (scenario !== 'restarting' || domainNumber !== 0) return [life(0, endMs, name)]
  const lives = [life(0, fault.fromMs, name)]
  for (let from = fault.fromMs; from < fault.untilMs; from += RESTART_MS)
    lives.push(life(from, Math.min(from + RESTART_MS, fault.untilMs), `${name}-${lives.length}`))
  return [...lives, life(fault.untilMs, endMs, `${name}-well`)]
}

/** Calls of one worker, 1/s: with `heal_with_bad_domain`, half of all are those of the bad domain. */
function rateOf({ scenario, workers, domains, rate }: Plan, domainNumber: number): number {
  if (scenario !== 'heal_with_bad_domain' || domains === 1) return rate
  const bad = Math.ceil(workers / domains)
  const share = domainNumber === 0 ? BUSY_SHARE / bad : (1 - BUSY_SHARE) / (workers - bad)
  return rate * workers * share
}

/** How a call would end that this worker begins now. Two draws each time, so that settings do not change the calls. */
export function answerOf(plan: Plan, life: Life, atMs: number, random: () => number): WantedCall {
  const [draw, latencyMs] = [random(), exponential(plan.latencyMs, random)]
  const { fault, scenario, errors } = plan
  const active = atMs >= fault.fromMs && atMs < fault.untilMs
  const doomed = active && isDoomed(plan, life, atMs - fault.fromMs, draw)
  if (doomed)
    return failed(
      scenario === 'slow' ? 'timeout' : 'unhealthy',
      scenario === 'slow' ? TIMEOUT_MS : FAILS_IN_MS,
      true,
    )
  if (scenario !== 'brownout' && draw < errors) return failed('unhealthy', FAILS_IN_MS, false)
  return { outcome: 'healthy', ms: latencyMs, good: true, doomed: false }
}

const failed = (outcome: Outcome, ms: number, doomed: boolean): WantedCall => ({
  outcome,
  ms,
  good: false,
  doomed,
})

/** Whether the fault, which began `sinceMs` ago and lasts, fails this call. */
function isDoomed(plan: Plan, life: Life, sinceMs: number, draw: number): boolean {
  switch (plan.scenario) {
    case 'steady':
    case 'cold_start':
      return false
    case 'dead':
    case 'slow':
      return true
    case 'brownout':
      return draw < plan.errors
    case 'one_bad_worker':
    case 'restarting':
      return life.domainNumber === 0
    case 'flapping':
      return Math.floor(sinceMs / FLAP_MS) % 2 === 0
    case 'bad_deploy':
      return life.broken
    case 'heal_with_bad_domain':
      return sinceMs < HEALS_AFTER * (plan.fault.untilMs - plan.fault.fromMs) || life.domainNumber === 0
    default:
      return plan.scenario satisfies never
  }
}

/** Whether the fault is in that worker, so that naming it is right. */
export const isBad = ({ scenario }: Plan, life: Life): boolean =>
  life.broken ||
  (life.domainNumber === 0 &&
    (scenario === 'one_bad_worker' || scenario === 'restarting' || scenario === 'heal_with_bad_domain'))
