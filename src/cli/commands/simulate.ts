import { Option, type Command } from 'commander'
import type { Provider, Settings } from '../../index.js'
import type * as Simulation from '../../simulation/index.js'
import { SCENARIOS, type ScenarioName } from '../../simulation/source.js'
import { simulationTable } from '../../view/simulation-table.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { parseNumber } from '../duration.js'
import { EXIT, wrongCall } from '../failure.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { overridden, parseOverride, type Override } from '../simulate/overridden.js'
import { readTrace } from '../simulate/trace-file.js'

type Library = typeof Simulation
/** A run of the history. */
type Entry = Awaited<ReturnType<Provider['history']>>[number]

interface SimulateOptions extends CommonOptions {
  readonly set?: readonly Override[]
  readonly trace?: string
  readonly scenario?: ScenarioName
  readonly history?: boolean
  readonly workers?: number
  readonly domains?: number
  readonly rate?: number
  readonly errors?: number
  readonly latency?: number
  readonly seconds?: number
  readonly seed?: number
}

const OF_A_SCENARIO = ['workers', 'domains', 'rate', 'errors', 'latency', 'seconds'] as const

export function addSimulate(program: Command, cli: Cli): void {
  const command = program
    .command('simulate')
    .description('put calls through the rules, offline, with other settings beside those in force')
    .argument('[id]', 'the provider whose settings are in force; default: the built-in settings')
    .option('--set <setting=value>', 'a setting to try; may be given again', parseOverride)
    .option('--trace <file>', 'calls that were made, one JSON a line, as connect({ onOutcome }) gives them')
    .addOption(new Option('--scenario <name>', 'calls that are made up').choices(SCENARIOS))
    .option('--history', 'the history of the provider: rates alone, it has neither workers nor exact order')
    .option('--workers <n>', 'of a scenario: processes; default 10', parseNumber)
    .option('--domains <n>', 'of a scenario: failure domains; default one for each worker', parseNumber)
    .option('--rate <n>', 'of a scenario: calls of one worker, 1/s; default 50', parseNumber)
    .option('--errors <share>', 'of a scenario: share of calls that fail by themselves, 0 to 1', parseNumber)
    .option('--latency <ms>', 'of a scenario: mean latency; default 50', parseNumber)
    .option('--seconds <n>', 'of a scenario: how long the fault lasts; default 120', parseNumber)
    .option('--seed <n>', 'the same seed gives the same result; default 1', parseNumber)
    .action(async (id: string | undefined, options: SimulateOptions) => {
      await run(id, options)
      cli.exitCode = EXIT.ok
    })
  withCommon(command, [
    'busbar simulate --scenario brownout --errors 0.3 --set breaker.failureRate=0.25',
    'busbar simulate openai --trace calls.ndjson --set breaker.failureThreshold=10',
    'busbar simulate openai --history --set breaker.failureRate=0.5 --json',
  ])
}

async function run(id: string | undefined, options: SimulateOptions): Promise<void> {
  const kinds = [options.trace, options.scenario, options.history].filter((kind) => kind !== undefined)
  if (kinds.length !== 1) throw wrongCall('give one of --scenario <name>, --trace <file> and --history')
  const idle = OF_A_SCENARIO.find((name) => options[name] !== undefined)
  if (idle !== undefined && options.scenario === undefined)
    throw wrongCall(`--${idle} ${options[idle] ?? ''}: it says something of a --scenario alone`)
  if (options.history === true && id === undefined)
    throw wrongCall('--history: of which provider? Give its id')
  // Loaded here, so that the help of all commands does not need it.
  const simulation = await import('../../simulation/index.js')
  const { settings, history } =
    id === undefined ? { settings: simulation.builtInSettings() } : await read(id, options)
  const { set = [] } = options
  const inForce = simulateOne(simulation, overridden(settings, []), options, history)
  const tried =
    set.length === 0 ? undefined : simulateOne(simulation, overridden(settings, set), options, history)
  const shown = { inForce, ...(tried === undefined ? {} : { tried }) }
  if (options.json === true) writeJson({ ...shown, note: noteOf(options) })
  else writeLine(simulationTable(shown, noteOf(options)))
}

const read = (
  id: string,
  options: SimulateOptions,
): Promise<{ settings: Settings; history?: readonly Entry[] }> =>
  withFleet(options, async (fleet) => {
    const provider = await findProvider(fleet, id)
    await provider.snapshot() // brings the settings up to date
    const { settings } = provider
    return options.history === true ? { settings, history: await provider.history() } : { settings }
  })

function simulateOne(
  { simulate, parseTraceLine }: Library,
  settings: ReturnType<typeof overridden>,
  options: SimulateOptions,
  history: readonly Entry[] = [],
) {
  const { trace, scenario, seed } = options
  if (trace !== undefined) return simulate(settings, { trace: readTrace(trace, parseTraceLine), seed })
  if (scenario === undefined) return simulate(settings, { history, seed })
  const { workers, domains, rate, errors, latency: latencyMs, seconds } = options
  return simulate(settings, { scenario, workers, domains, rate, errors, latencyMs, seconds, seed })
}

const noteOf = ({ history }: SimulateOptions): string =>
  history === true
    ? 'The history has neither workers nor the exact order: rates are judged, failures in a row and the quorum are left out.'
    : ''
