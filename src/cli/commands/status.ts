import type { Command } from 'commander'
import type { HealthStatus } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { CliError, EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { paintsFor } from '../view/paint.js'
import { readAll, readView, viewJson } from '../view/provider-view.js'
import { statusDetail } from '../view/status-detail.js'
import { statusTable } from '../view/status-table.js'

/** When nobody says how wide the screen is: a file, a pipe. */
const DEFAULT_COLUMNS = 120

export function addStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .description('health, circuit and reason of every provider, or of one in detail')
    .argument('[id]', 'one provider')
    .action(async (id: string | undefined, options: CommonOptions) => {
      cli.exitCode = await withFleet(options, (fleet) =>
        id === undefined ? showAll(fleet, options) : showOne(fleet, id, options),
      )
    })
  withCommon(command, [
    'busbar status',
    'busbar status openai --redis redis://127.0.0.1:6379',
    'busbar status openai --json | jq -r .health',
  ]).addHelpText(
    'after',
    '\nExit code: 0 all ok, 1 degraded, 2 unhealthy, 3 unknown or Redis unreachable, 64 wrong call',
  )
}

async function showAll(fleet: Fleet, { json }: CommonOptions): Promise<number> {
  const { namespace } = fleet.address
  const { views, unreadable } = await readAll(fleet.busbar)
  if (json === true) writeJson({ namespace, providers: views.map(viewJson), unreadable })
  if (views.length === 0 && unreadable.length === 0) {
    const message = `no provider is registered in namespace ${namespace}; check --namespace`
    if (json !== true) throw new CliError('provider_unknown', EXIT.unknown, message)
    return EXIT.unknown
  }
  const paints = paintsFor(process.stdout)
  if (json !== true) {
    if (views.length > 0) writeLine(statusTable(views, paints, process.stdout.columns || DEFAULT_COLUMNS))
    for (const { id, why } of unreadable) writeLine(`${paints.red(id)} cannot be read: ${why}`)
  }
  const codes = views.map(({ snapshot }) => exitCodeOf(snapshot.health))
  return Math.max(...codes, unreadable.length === 0 ? EXIT.ok : EXIT.unknown)
}

async function showOne(fleet: Fleet, id: string, { json }: CommonOptions): Promise<number> {
  const view = await readView(await findProvider(fleet, id))
  if (json === true) writeJson(viewJson(view))
  else writeLine(statusDetail(view, paintsFor(process.stdout)))
  return exitCodeOf(view.snapshot.health)
}

export function exitCodeOf(health: HealthStatus): number {
  if (health === 'healthy') return EXIT.ok
  return health === 'degraded' ? EXIT.degraded : EXIT.unhealthy
}
