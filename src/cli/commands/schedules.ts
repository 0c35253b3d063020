import type { Command } from 'commander'
import type { Planned, ProbeQueueState } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { EXIT } from '../failure.js'
import { withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { clean, formatAbout, formatDuration } from '../format.js'
import { paintsFor, type Paints } from '../view/paint.js'
import { matcherOf } from '../view/provider-list.js'
import { LATE_MS, readAll, type ProviderView } from '../view/provider-view.js'
import { probeText } from '../view/status-table.js'
import { renderTable } from '../view/table.js'

export function addSchedules(program: Command, cli: Cli): void {
  const command = program
    .command('schedules')
    .description('what is to be probed, when and by which queue, and what waits there')
    .argument('[id]', "one provider, or a pattern for several, such as 'open*'")
    .action(async (id: string | undefined, options: CommonOptions) => {
      cli.exitCode = await withFleet(options, (fleet) => show(fleet, id, options))
    })
  withCommon(command, ['busbar schedules', "busbar schedules 'open*' --json"]).addHelpText(
    'after',
    '\nThe longest overdue come first. A turn that is due and not late waits for a worker, or for its place in the row of starts.' +
      '\nExit code: 0 all on time, 1 a provider is overdue or a queue takes nothing, 3 Redis unreachable, 64 wrong call',
  )
}

/** One provider that is to be probed. */
interface Row {
  readonly view: ProviderView
  /** Undefined where no worker has planned it. */
  readonly plan: Planned | undefined
  readonly overdue: boolean
}

async function show(
  { busbar }: Fleet,
  pattern: string | undefined,
  { json }: CommonOptions,
): Promise<number> {
  const accepts = pattern === undefined ? () => true : matcherOf(pattern)
  const [{ planned, queues }, { views }] = await Promise.all([busbar.schedules(), readAll(busbar, accepts)])
  const plans = new Map(planned.map((plan) => [plan.id, plan]))
  const rows = views
    .filter(({ snapshot }) => snapshot.probeIntervalMs !== null)
    .map((view) => rowOf(view, plans.get(view.snapshot.id)))
    .sort((a, b) => rank(a) - rank(b))
  if (json === true) writeJson({ providers: rows.map(rowJson), queues })
  else write(rows, queues)
  return rows.some(({ overdue }) => overdue) || queues.some(isStuck) ? EXIT.degraded : EXIT.ok
}

function rowOf(view: ProviderView, plan: Planned | undefined): Row {
  const late = plan === undefined || plan.lateMs > LATE_MS
  return { view, plan, overdue: view.snapshot.stale || late }
}

/** The overdue first, then by when the next probe comes. */
const rank = ({ plan, overdue }: Row): number =>
  overdue ? -1e15 - (plan?.lateMs ?? 0) : (plan?.nextInMs ?? 0) - (plan?.lateMs ?? 0)

/** Jobs wait, or would, and no worker takes them. */
const isStuck = ({ paused, served }: ProbeQueueState): boolean => paused || served === false

function rowJson({ view: { snapshot }, plan, overdue }: Row) {
  const { id, lastProbeAt, lastProbeStatus, lastProbeDetail, at, probeIntervalMs } = snapshot
  return {
    id,
    intervalMs: plan?.intervalMs ?? probeIntervalMs,
    planned: plan !== undefined,
    nextInMs: plan?.nextInMs ?? null,
    lateMs: plan?.lateMs ?? null,
    why: plan?.why ?? null,
    queue: plan?.queue ?? null,
    overdue,
    last:
      lastProbeAt === null
        ? null
        : { status: lastProbeStatus, detail: lastProbeDetail, agoMs: at - lastProbeAt },
  }
}

function write(rows: readonly Row[], queues: readonly ProbeQueueState[]): void {
  const paints = paintsFor(process.stdout)
  if (rows.length === 0) writeLine('no provider is to be probed')
  else writeLine(renderTable({ head: HEAD.map(paints.dim), rows: rows.map((row) => cellsOf(row, paints)) }))
  writeLine()
  const cells = queues.map((queue) => queueCells(queue, paints))
  writeLine(renderTable({ head: QUEUE_HEAD.map(paints.dim), rows: cells }))
}

const HEAD = ['PROVIDER', 'EVERY', 'NEXT', 'WHY', 'QUEUE', 'LAST PROBE']
const QUEUE_HEAD = ['QUEUE', 'WAITING', 'UNDER WAY', 'STATE']
const NONE = '-'

function cellsOf({ view, plan, overdue }: Row, paints: Paints): string[] {
  const { id, probeIntervalMs } = view.snapshot
  return [
    paints.bold(id),
    formatDuration(plan?.intervalMs ?? probeIntervalMs ?? 0),
    overdue ? paints.yellow(nextText(plan, overdue)) : nextText(plan, overdue),
    plan?.why ?? NONE,
    clean(plan?.queue ?? NONE),
    probeText(view, paints),
  ]
}

function nextText(plan: Planned | undefined, overdue: boolean): string {
  if (plan === undefined) return 'not planned'
  const next = plan.lateMs > 0 ? `due ${formatAbout(plan.lateMs)} ago` : `in ${formatAbout(plan.nextInMs)}`
  return overdue ? `${next}, overdue` : next
}

function queueCells(queue: ProbeQueueState, paints: Paints): string[] {
  const { waiting, active, paused, served, code } = queue
  const state = paused
    ? paints.yellow('paused: queue.resume() of BullMQ ends it')
    : served === false
      ? paints.yellow(`no worker has registered ${clean(code)}`)
      : paints.green('open')
  return [clean(queue.queue), `${waiting}`, `${active}`, state]
}
