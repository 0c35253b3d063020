import { checkKeys } from '../config/keys.js'
import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import { SCENARIOS, type ScenarioOptions, type SimulationSource } from './source.js'

/** A number from `above` or `min` to `max`. */
interface Bounds {
  readonly min?: number
  readonly above?: number
  readonly max: number
  readonly whole?: true
}

const MAX_WORKERS = 10_000
const SEED: Bounds = { min: 0, max: 2 ** 31, whole: true }

/** @throws ArgumentError naming the path and the value. */
export function checkSource<S extends SimulationSource>(source: S): S {
  const given: unknown = source
  if (typeof given !== 'object' || given === null) throw wrong('source', 'an object', source)
  const kinds = (['scenario', 'trace', 'history'] as const).filter((kind) => kind in source)
  if (kinds.length !== 1) throw wrong('source', 'exactly one of scenario, trace and history', kinds)
  if ('scenario' in source) checkScenario(source)
  else checkKeys(source, [...kinds, 'seed'], 'source')
  if ('trace' in source && !isIterable(source.trace)) throw wrong('trace', 'a list of outcomes', source.trace)
  checkNumber('seed', source.seed, SEED)
  return source
}

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

const OPTIONS = ['scenario', 'workers', 'domains', 'rate', 'errors', 'latencyMs', 'seconds', 'seed']

function checkScenario(options: ScenarioOptions): void {
  checkKeys(options, OPTIONS, 'source')
  const { scenario, workers = 10, domains, rate, errors, latencyMs, seconds } = options
  if (!SCENARIOS.includes(scenario)) throw wrong('scenario', `one of ${SCENARIOS.join(', ')}`, scenario)
  checkNumber('workers', workers, { min: 1, max: MAX_WORKERS, whole: true })
  checkNumber('domains', domains, { min: 1, max: workers, whole: true })
  checkNumber('rate', rate, { above: 0, max: 10_000 })
  checkNumber('errors', errors, { min: 0, max: 1 })
  checkNumber('latencyMs', latencyMs, { above: 0, max: 600_000 })
  checkNumber('seconds', seconds, { above: 0, max: 86_400 })
}

function checkNumber(path: string, value: unknown, { min, above, max, whole }: Bounds): void {
  if (value === undefined) return
  const holds =
    typeof value === 'number' &&
    value <= max &&
    (min === undefined || value >= min) &&
    (above === undefined || value > above) &&
    (whole !== true || Number.isInteger(value))
  if (holds) return
  const what = whole === true ? 'a whole number' : 'a number'
  throw wrong(path, `${what} ${above === undefined ? `from ${min}` : `above ${above}, up`} to ${max}`, value)
}

const wrong = (path: string, expected: string, got: unknown): ArgumentError =>
  new ArgumentError(path, `${path}: expected ${expected}, got ${show(got)}`)
