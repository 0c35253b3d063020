import type { Command } from 'commander'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { parseCount } from '../duration.js'
import { EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { clean, formatCount, formatDuration, formatRate, formatTime } from '../../view/format.js'
import { paintOutcome, paintsFor } from '../../view/paint.js'
import { historyJson } from '../../view/history-json.js'
import { readView, type ProviderView } from '../../view/provider-view.js'
import { renderTable } from '../../view/table.js'
import type { HistoryEntry } from '../../index.js'

interface HistoryOptions extends CommonOptions {
  readonly count: number
}

export function addHistory(program: Command, cli: Cli): void {
  const command = program
    .command('history')
    .description("a provider's newest outcomes, in runs of equal ones")
    .argument('<id>', 'the provider')
    .option('--count <n>', 'how many runs', parseCount, 20)
    .action(async (id: string, options: HistoryOptions) => {
      cli.exitCode = await withFleet(options, async (fleet) => {
        const provider = await findProvider(fleet, id)
        const view = await readView(provider)
        const history = await provider.history({ count: options.count })
        if (options.json === true) writeJson(historyJson(view, history))
        else writeHistory(view, history)
        return EXIT.ok
      })
    })
  withCommon(command, ['busbar history openai', 'busbar history openai --count 5 --json'])
}

function writeHistory({ snapshot, settings }: ProviderView, history: readonly HistoryEntry[]): void {
  const { id, historyTotal, historyHealthy, successRate } = snapshot
  const paints = paintsFor(process.stdout)
  if (history.length > 0) {
    const rows = history.map(({ at, status, count }) => [
      paints.dim(formatTime(at)),
      paintOutcome(paints, status, clean(status)),
      formatCount(count),
    ])
    writeLine(renderTable({ head: ['SINCE', 'OUTCOME', 'COUNT'].map(paints.dim), rows }))
    writeLine()
  }
  const window = formatDuration(settings.history.windowMs)
  const rate =
    historyTotal === 0
      ? 'nothing recorded'
      : `${formatCount(historyHealthy)} of ${formatCount(historyTotal)} healthy (${formatRate(successRate)})`
  writeLine(`${id}: ${rate} in the last ${window}`)
}
