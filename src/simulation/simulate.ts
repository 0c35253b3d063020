import { resolveSettings } from '../config/settings.js'
import type { Settings, SettingsInput } from '../model/settings.js'
import { EventQueue } from './event-queue.js'
import { exponential, randomOf } from './random.js'
import type { SimulationResult } from './result.js'
import { answerOf, isBad, livesOf, planOf, type Life, type Plan } from './scenarios.js'
import { SimulatedStore } from './simulated-store.js'
import { SimulatedWorker, type Simulated } from './simulated-worker.js'
import { checkSource } from './source-check.js'
import type { HistorySource, ScenarioOptions, SimulationSource, TraceSource } from './source.js'
import { Tally } from './tally.js'
import { callsOfHistory, callsOfTrace, type TimedCall } from './trace.js'

/**
 * Puts calls through the rules, offline, and counts what they do: when the circuit opens, which good calls it refuses, which
 * doomed calls it lets through. Workers, their batches and their pauses are simulated, so that outcomes arrive in the order in
 * which they would arrive: failures before successes. Deterministic: the same source and seed give the same result.
 *
 * It simulates as if `enforce` were true and no probe closed the circuit (`recovery: 'traffic'`).
 * @throws SettingsError, ArgumentError naming the path and the value.
 */
export function simulate(settings: SettingsInput, source: SimulationSource): SimulationResult {
  const checked = checkSource(source)
  const resolved = simulatedSettings(resolveSettings(settings))
  if ('scenario' in checked) return simulateScenario(resolved, checked)
  return 'trace' in checked ? simulateTrace(resolved, checked) : simulateHistory(resolved, checked)
}

/** The settings of a provider that was given none. */
export const builtInSettings = (): Settings => resolveSettings()

const simulatedSettings = (settings: Settings): Settings => ({
  ...settings,
  breaker: { ...settings.breaker, enforce: true, recovery: 'traffic' },
})

function simulateScenario(settings: Settings, options: ScenarioOptions): SimulationResult {
  const { seed = 1 } = options
  const plan = planOf(options)
  const lives = livesOf(plan)
  const bad = new Set(lives.filter((life) => isBad(plan, life)).map(({ name }) => name))
  const simulated = begin(settings, seed, new Tally(plan.fault, (worker) => bad.has(worker)))
  const { queue } = simulated
  for (const life of lives) queue.at(life.fromMs, () => live(plan, life, simulated, seed))
  queue.runUntil(plan.endMs)
  return simulated.tally.result(plan.endMs)
}

function begin(settings: Settings, seed: number, tally: Tally): Simulated {
  const queue = new EventQueue()
  return { queue, tally, store: new SimulatedStore(settings, queue, tally, randomOf(seed, 'store')) }
}

/** One life of a process: its calls come as a Poisson process. */
function live(plan: Plan, life: Life, simulated: Simulated, seed: number): void {
  const { queue } = simulated
  const slowMs = simulated.store.settings.slowMs ?? Infinity
  const random = randomOf(seed, `calls of ${life.name}`)
  const worker = new SimulatedWorker(life.name, life.domain, simulated, randomOf(seed, life.name))
  const gapMs = 1_000 / life.rate
  const next = () => {
    queue.after(exponential(gapMs, random), () => {
      if (queue.now >= life.untilMs) return
      const call = answerOf(plan, life, queue.now, random)
      worker.want(call.outcome === 'healthy' && call.ms > slowMs ? { ...call, outcome: 'degraded' } : call)
      next()
    })
  }
  next()
  if (life.untilMs < plan.endMs) queue.at(life.untilMs, () => worker.end())
}

/** The calls of a trace begin when they began. Of calls that were refused at that time a trace says nothing. */
function simulateTrace(settings: Settings, { trace, seed = 1 }: TraceSource): SimulationResult {
  return put(settings, callsOfTrace(trace, settings.slowMs), seed)
}

/** No run of failures can be judged, for the order is not known, and no quorum, for the workers are not. */
function simulateHistory(settings: Settings, { history, seed = 1 }: HistorySource): SimulationResult {
  const breaker = { ...settings.breaker, failureThreshold: null, quorum: 1 }
  return put({ ...settings, breaker }, callsOfHistory(history), seed)
}

function put(settings: Settings, calls: readonly TimedCall[], seed: number): SimulationResult {
  const firstFailureMs = calls.find(({ call }) => !call.good)?.endMs ?? 0
  const tally = new Tally({ fromMs: 0, untilMs: Infinity }, () => true, firstFailureMs)
  const simulated = begin(settings, seed, tally)
  const { queue } = simulated
  const workers = new Map<string, SimulatedWorker>()
  const workerOf = ({ worker: name, domain }: TimedCall): SimulatedWorker => {
    const known = workers.get(name)
    if (known !== undefined) return known
    const made = new SimulatedWorker(name, domain, simulated, randomOf(seed, name))
    workers.set(name, made)
    return made
  }
  let next = 0
  const step = () => {
    const timed = calls[next]
    if (timed === undefined) return
    next += 1
    queue.at(timed.beginMs, () => {
      if (timed.origin === 'probe') queue.at(timed.endMs, () => workerOf(timed).probed(timed.call.outcome))
      else workerOf(timed).want(timed.call)
      step()
    })
  }
  step()
  const endMs = calls.reduce((latest, { endMs }) => Math.max(latest, endMs), 0) + AFTER_MS
  queue.runUntil(endMs)
  return tally.result(endMs)
}

/** So long after the last call what was held has been sent, ms. */
const AFTER_MS = 1_000
