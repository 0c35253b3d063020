import { Option, type Command } from 'commander'
import type { ProviderEvent } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { parseCount } from '../duration.js'
import { EXIT, wrongCall } from '../failure.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { eventRow } from '../view/event-line.js'
import { paintsFor } from '../view/paint.js'
import { renderTable } from '../view/table.js'

interface EventsOptions extends CommonOptions {
  readonly count: number
  readonly follow?: boolean
}

export function addEvents(program: Command, cli: Cli): void {
  const command = program
    .command('events')
    .description("a provider's newest transitions, marks and changes of settings")
    .argument('<id>', 'the provider')
    .option('--count <n>', 'how many', parseCount, 20)
    .addOption(new Option('-f, --follow').hideHelp())
    .action(async (id: string, options: EventsOptions) => {
      if (options.follow === true) throw wrongCall('events -f: not in this version; call busbar events again')
      cli.exitCode = await withFleet(options, async (fleet) => {
        const provider = await findProvider(fleet, id)
        const events = await provider.events({ count: options.count })
        if (options.json === true) writeJson({ id, events })
        else if (events.length === 0) writeLine(`${id}: no events`)
        else writeEvents(events)
        return EXIT.ok
      })
    })
  withCommon(command, ['busbar events openai', 'busbar events openai --count 100 --json'])
}

function writeEvents(events: readonly ProviderEvent[]): void {
  const paints = paintsFor(process.stdout)
  const head = ['AT', 'EVENT', 'BY', 'REASON'].map(paints.dim)
  writeLine(renderTable({ head, rows: events.map((event) => eventRow(event, paints)) }))
}
