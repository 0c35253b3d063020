import type { Command } from 'commander'
import type { Busbar, GroupHealth, HealthStatus } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { CliError, EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { countsText } from '../../view/fleet-words.js'
import { clean, plural } from '../../view/format.js'
import { readFleet, withSelection, type FleetView, type Selection } from '../selection.js'
import { groupLine } from '../../view/group-view.js'
import { paintsFor } from '../../view/paint.js'
import { pausedQueuesOf, pausedText } from '../../view/paused.js'
import { isPattern } from '../../view/provider-list.js'
import { isUnknown, readView, viewJson, type ProviderView } from '../../view/provider-view.js'
import { statusDetail } from '../../view/status-detail.js'
import { statusTable } from '../../view/status-table.js'

interface StatusOptions extends CommonOptions {
  readonly unhealthy?: boolean
  readonly group?: string
}

export function addStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .description('health, circuit and reason of every provider, or of one in detail')
    .argument('[id]', "one provider, or a pattern for several, such as 'open*'")
    .option('--group <name>', 'only the members of this group, and how the group is')
    .action(async (id: string | undefined, options: StatusOptions) => {
      const { unhealthy, group } = options
      const one = id !== undefined && !isPattern(id) && unhealthy !== true && group === undefined
      cli.exitCode = await withFleet(options, (fleet) =>
        one ? showOne(fleet, id, options) : showAll(fleet, { pattern: id, unhealthy, group }, options),
      )
    })
  withCommon(withSelection(command), [
    'busbar status',
    'busbar status openai --redis redis://127.0.0.1:6379',
    "busbar status 'open*' --unhealthy",
    'busbar status --group llm',
    'busbar status openai --json | jq -r .health',
  ]).addHelpText(
    'after',
    '\nThe worst come first. On a terminal long ids are cut in the middle; in a pipe, a file and JSON nothing is.' +
      '\nExit code: 0 all ok, 1 degraded, 2 unhealthy, 3 unknown (no outcome yet, or its probes\n' +
      'give no result) or Redis unreachable, 64 wrong call; of several the gravest: 2, 3, 1, 0',
  )
}

async function showAll(fleet: Fleet, selection: Selection, { json }: CommonOptions): Promise<number> {
  const { namespace } = fleet.address
  const found = await readFleet(fleet.busbar, selection)
  const { views, unreadable, read, pausedQueues, groups } = found
  if (json === true) {
    writeJson({
      namespace,
      providers: views.map(viewJson),
      unreadable,
      pausedProbeQueues: pausedQueues,
      groups,
    })
  }
  if (read === 0 && unreadable.length === 0) {
    if (json !== true) throw new CliError('provider_unknown', EXIT.unknown, nothingText(namespace, selection))
    return EXIT.unknown
  }
  if (json !== true) writeTable(found)
  return gravest([...views.map(codeOf), ...unreadable.map(() => EXIT.unknown)])
}

export const nothingText = (namespace: string, { pattern, group }: Selection): string =>
  group !== undefined
    ? `no provider in namespace ${namespace} is a member of group ${clean(group)}`
    : pattern === undefined
      ? `no provider is registered in namespace ${namespace}; check --namespace`
      : `no provider in namespace ${namespace} matches ${clean(pattern)}`

/** Columns of a terminal that does not report its width. */
const USUAL_COLUMNS = 80

function writeTable({ views, unreadable, read, pausedQueues, groups }: FleetView): void {
  const { stdout } = process
  const paints = paintsFor(stdout)
  const room = stdout.isTTY ? { columns: stdout.columns || USUAL_COLUMNS } : {}
  if (views.length === 0 && unreadable.length === 0)
    writeLine(read === 1 ? 'it is healthy' : `all ${plural(read, 'provider')} are healthy`)
  else if (views.length > 0) {
    const table = statusTable(views, paints, room)
    writeLine(table)
    if (stdout.isTTY && table.split('\n').length >= stdout.rows) writeLine(`\n${countsBelow(views)}`)
  }
  for (const { id, why } of unreadable) writeLine(`${paints.red(id)} cannot be read: ${why}`)
  if (groups.length > 0) writeLine(`\n${groups.map((group) => groupLine(group, paints)).join('\n')}`)
  const paused = pausedText(pausedQueues)
  if (paused !== '') writeLine(`\n${paints.yellow(paused)}`)
}

/** Below a table that is longer than the screen: its beginning, with the worst providers, has scrolled away. */
const countsBelow = (views: readonly ProviderView[]): string =>
  `${countsText(views)}; --unhealthy leaves out the healthy ones`

async function showOne(fleet: Fleet, id: string, { json }: CommonOptions): Promise<number> {
  const view = await readView(await findProvider(fleet, id))
  const pausedQueues = await pausedQueuesOf(fleet.busbar, id)
  const groupHealth = await healthOfGroup(fleet.busbar, view.snapshot.group)
  if (json === true) writeJson({ ...viewJson(view), pausedProbeQueues: pausedQueues, groupHealth })
  else writeLine(statusDetail(view, paintsFor(process.stdout), { pausedQueues, groupHealth }))
  return codeOf(view)
}

/** Null for a provider without a group. */
async function healthOfGroup(busbar: Busbar, name: string): Promise<GroupHealth | null> {
  if (name === '') return null
  const group = busbar.group(name)
  await group.members()
  return group.health
}

export function exitCodeOf(health: HealthStatus): number {
  if (health === 'healthy') return EXIT.ok
  return health === 'degraded' ? EXIT.degraded : EXIT.unhealthy
}

/** A provider seen to be down is graver than one without observations. */
const codeOf = (view: ProviderView): number =>
  gravest([exitCodeOf(view.snapshot.health), isUnknown(view) ? EXIT.unknown : EXIT.ok])

const GRAVEST_FIRST: readonly number[] = [EXIT.unhealthy, EXIT.unknown, EXIT.degraded]

const gravest = (codes: readonly number[]): number =>
  GRAVEST_FIRST.find((code) => codes.includes(code)) ?? EXIT.ok
