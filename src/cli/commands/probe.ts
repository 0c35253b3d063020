import type { Command } from 'commander'
import type { ProbeReport, Provider } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { parseDuration } from '../duration.js'
import { CliError, EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { clean, formatAbout } from '../../view/format.js'
import { paintHealth, paintsFor, paintState } from '../../view/paint.js'
import { exitCodeOf } from './status.js'

interface ProbeOptions extends CommonOptions {
  readonly timeout?: number
}

const WAITS = 'how long to wait for a worker, such as 10s; default: the time limit of the probe, and 5s'

export function addProbe(program: Command, cli: Cli): void {
  const command = program
    .command('probe')
    .description('one health check now, by a worker of the fleet; recorded like any other')
    .argument('<id>', 'the provider')
    .option('--timeout <time>', WAITS, parseDuration)
    .action(async (id: string, options: ProbeOptions) => {
      cli.exitCode = await withFleet(options, async (fleet) => {
        const provider = await findProvider(fleet, id)
        const report = await fleet.busbar.probe(id, { timeoutMs: options.timeout })
        if (options.json === true) writeJson(report)
        else await writeReport(report, provider, fleet.busbar.workerId)
        return report.probed ? exitCodeOf(report.status) : EXIT.unknown
      })
    })
  withCommon(command, ['busbar probe openai', 'busbar probe openai --json | jq -r .status']).addHelpText(
    'after',
    '\nExit code: 0 healthy, 1 degraded, 2 anything else, 3 not probed (a mark, a pause, no probe, no worker) or unknown' +
      '\nAn open circuit does not refuse it; before its cooldown is over the result closes nothing.' +
      '\nWhere no process of the fleet runs probes, this command makes it: then ${env:NAME} in the settings of the probe' +
      '\nis read from its environment, and checks in code cannot be made. A paused probe queue refuses it.',
  )
}

/** Made by another process than this one: its name is said. */
async function writeReport(report: ProbeReport, provider: Provider, ownId: string): Promise<void> {
  const { id } = report
  if (!report.probed) {
    const { reason, retryAfterMs } = report
    const again =
      retryAfterMs === null || retryAfterMs <= 0 ? '' : `; possible in ${formatAbout(retryAfterMs)}`
    throw new CliError(report.code, EXIT.unknown, `${id} was not probed: ${reason}${again}`)
  }
  const paints = paintsFor(process.stdout)
  const { status, detail, elapsedMs, trial, worker } = report
  const { state, retryAfterMs } = await provider.snapshot()
  const asTrial = trial ? ', as the trial of a half-open circuit' : ''
  const trials = retryAfterMs === null ? 'until reset' : `trials in ${formatAbout(retryAfterMs)}`
  const circuit = `circuit ${paintState(paints, state)}${state === 'open' ? ` (${trials})` : ''}`
  const by = worker === ownId ? '' : `, by ${clean(worker)}`
  const found = `${paintHealth(paints, status)} (${clean(detail)}) in ${elapsedMs} ms${by}${asTrial}`
  writeLine(`${paints.bold(id)} ${found}; ${circuit}`)
}
