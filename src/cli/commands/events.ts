import type { Command } from 'commander'
import type { ProviderEvent } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { parseCount } from '../duration.js'
import { EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { followEvents, readEvents } from '../follow-events.js'
import { Shutdown } from '../start/shutdown.js'
import { eventJson, eventLine, eventRow, idWidthFor } from '../../view/event-line.js'
import { paintsFor } from '../../view/paint.js'
import { foldReopenings, type ListedEvent } from '../../view/reopenings.js'
import { renderTable } from '../../view/table.js'
import { cutMiddle } from '../../view/text-width.js'

/** Columns of a terminal that does not report its width. */
const USUAL_COLUMNS = 80

interface EventsOptions extends CommonOptions {
  readonly count: number
  readonly follow?: boolean
}

export function addEvents(program: Command, cli: Cli): void {
  const command = program
    .command('events')
    .description('the newest transitions, marks and changes of settings, of one provider or of all')
    .argument('[id]', 'one provider')
    .option('--count <n>', 'how many', parseCount, 20)
    .option('-f, --follow', 'go on with each new one as it happens, until Ctrl-C; with --json one a line')
    .action(async (id: string | undefined, options: EventsOptions) => {
      cli.exitCode = await withFleet(options, (fleet) =>
        options.follow === true ? follow(fleet, id, options) : show(fleet, id, options),
      )
    })
  withCommon(command, [
    'busbar events openai',
    'busbar events openai --count 100 --json',
    'busbar events -f',
    'busbar events openai -f --json',
  ])
}

async function show(fleet: Fleet, id: string | undefined, { count, json }: EventsOptions): Promise<number> {
  if (json === true) {
    const events = (await read(fleet, id, count)).slice(-count)
    writeJson({ ...(id === undefined ? {} : { id }), events: events.map(eventJson) })
    return EXIT.ok
  }
  const listed = foldReopenings(await read(fleet, id, Math.max(count, id === undefined ? SOME : ALL)))
  if (listed.length === 0) writeLine(`${id ?? fleet.address.namespace}: no events`)
  else writeEvents(listed.slice(-count), id === undefined)
  return EXIT.ok
}

/** Re-openings of one outage become one line, so that more events are read than lines are shown. */
const ALL = 1_000
const SOME = 200

/** The newest `count` events of each provider, oldest first. */
async function read(fleet: Fleet, id: string | undefined, count: number): Promise<ProviderEvent[]> {
  if (id !== undefined) return [...(await (await findProvider(fleet, id)).events({ count }))]
  const all = await readEvents(fleet.busbar, await fleet.busbar.providers(), count)
  return all.sort((a, b) => a.at - b.at || a.version - b.version)
}

function writeEvents(events: readonly ListedEvent[], named: boolean): void {
  const { stdout } = process
  const paints = paintsFor(stdout)
  // Ids are cut on a terminal only: a program that reads a pipe or a file needs them whole.
  const idWidth = stdout.isTTY ? idWidthFor(stdout.columns || USUAL_COLUMNS) : Infinity
  const head = [...(named ? ['PROVIDER'] : []), 'AT', 'EVENT', 'BY', 'REASON'].map(paints.dim)
  const rows = events.map((listed) => [
    ...(named ? [paints.bold(cutMiddle(listed.event.providerId, idWidth))] : []),
    ...eventRow(listed, paints),
  ])
  writeLine(renderTable({ head, rows }))
}

async function follow(fleet: Fleet, id: string | undefined, { count, json }: EventsOptions): Promise<number> {
  const paints = paintsFor(process.stdout)
  const shutdown = new Shutdown()
  return shutdown.run(() =>
    followEvents({
      busbar: fleet.busbar,
      id,
      shutdown,
      count,
      before: () => read(fleet, id, count),
      show: (event) => writeLine(json === true ? JSON.stringify(eventJson(event)) : eventLine(event, paints)),
      note: (text) => process.stderr.write(`busbar: ${text}\n`),
    }),
  )
}
