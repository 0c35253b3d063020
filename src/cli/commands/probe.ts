import type { Command } from 'commander'
import type { ProbeReport, Provider } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { CliError, EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { clean, formatAbout } from '../format.js'
import { paintHealth, paintsFor, paintState } from '../view/paint.js'
import { exitCodeOf } from './status.js'

export function addProbe(program: Command, cli: Cli): void {
  const command = program
    .command('probe')
    .description('one health check now, by this process; recorded like any other')
    .argument('<id>', 'the provider')
    .action(async (id: string, options: CommonOptions) => {
      cli.exitCode = await withFleet(options, async (fleet) => {
        const provider = await findProvider(fleet, id)
        const report = await fleet.busbar.probe(id)
        if (options.json === true) writeJson(report)
        else await writeReport(report, provider)
        return report.probed ? exitCodeOf(report.status) : EXIT.unknown
      })
    })
  withCommon(command, ['busbar probe openai', 'busbar probe openai --json | jq -r .status']).addHelpText(
    'after',
    '\nExit code: 0 healthy, 1 degraded, 2 anything else, 3 not probed (a mark, a pause, no probe) or unknown' +
      '\nAn open circuit does not refuse it; before its cooldown is over the result closes nothing.' +
      '\n${env:NAME} in the settings of the probe is read from the environment of this command.',
  )
}

async function writeReport(report: ProbeReport, provider: Provider): Promise<void> {
  const { id } = report
  if (!report.probed) {
    const { reason, retryAfterMs } = report
    const again =
      retryAfterMs === null || retryAfterMs <= 0 ? '' : `; possible in ${formatAbout(retryAfterMs)}`
    throw new CliError(report.code, EXIT.unknown, `${id} was not probed: ${reason}${again}`)
  }
  const paints = paintsFor(process.stdout)
  const { status, detail, elapsedMs, trial } = report
  const { state, retryAfterMs } = await provider.snapshot()
  const asTrial = trial ? ', as the trial of a half-open circuit' : ''
  const trials = retryAfterMs === null ? 'until reset' : `trials in ${formatAbout(retryAfterMs)}`
  const circuit = `circuit ${paintState(paints, state)}${state === 'open' ? ` (${trials})` : ''}`
  const found = `${paintHealth(paints, status)} (${clean(detail)}) in ${elapsedMs} ms${asTrial}`
  writeLine(`${paints.bold(id)} ${found}; ${circuit}`)
}
