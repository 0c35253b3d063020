import type { Command } from 'commander'
import type { ProbeQueueState } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { CliError, EXIT } from '../failure.js'
import { withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { clean, formatAbout, formatDuration } from '../../view/format.js'
import { paintsFor, type Paints } from '../../view/paint.js'
import { resumeCall } from '../../view/paused.js'
import { nothingText } from './status.js'
import { matcherOf } from '../../view/provider-list.js'
import { readAll } from '../../view/provider-view.js'
import { scheduleJson, scheduleRows, type ScheduleRow } from '../../view/schedule-rows.js'
import { probeText } from '../../view/status-table.js'
import { renderTable } from '../../view/table.js'

export function addSchedules(program: Command, cli: Cli): void {
  const command = program
    .command('schedules')
    .description('the planned probes: when, by which queue, and how many jobs wait there')
    .argument('[id]', "one provider, or a pattern for several, such as 'open*'")
    .action(async (id: string | undefined, options: CommonOptions) => {
      cli.exitCode = await withFleet(options, (fleet) => show(fleet, id, options))
    })
  withCommon(command, ['busbar schedules', "busbar schedules 'open*' --json"]).addHelpText(
    'after',
    '\nThe longest overdue come first. A turn that is due and not late waits for a worker, or for its slot.' +
      '\nExit code: 0 all on time, 1 a provider is overdue, or a queue is paused or has no worker, 3 no such provider or Redis unreachable, 64 wrong call',
  )
}

async function show(
  { busbar, address: { namespace } }: Fleet,
  pattern: string | undefined,
  { json }: CommonOptions,
): Promise<number> {
  const accepts = pattern === undefined ? () => true : matcherOf(pattern)
  const [schedules, { views }] = await Promise.all([busbar.schedules(), readAll(busbar, accepts)])
  const { queues } = schedules
  if (views.length === 0 && json !== true) {
    throw new CliError('provider_unknown', EXIT.unknown, nothingText(namespace, { pattern }))
  }
  const rows = scheduleRows(views, schedules)
  if (json === true) writeJson({ providers: rows.map(scheduleJson), queues })
  else write(rows, queues)
  if (views.length === 0) return EXIT.unknown
  const stuck = queues.some(({ paused }) => paused) || rows.some(({ held }) => held !== null)
  return stuck || rows.some(({ overdue }) => overdue) ? EXIT.degraded : EXIT.ok
}

function write(rows: readonly ScheduleRow[], queues: readonly ProbeQueueState[]): void {
  const paints = paintsFor(process.stdout)
  if (rows.length === 0) writeLine('no provider is to be probed')
  else writeLine(renderTable({ head: HEAD.map(paints.dim), rows: rows.map((row) => cellsOf(row, paints)) }))
  writeLine()
  const cells = queues.map((queue) => queueCells(queue, paints))
  writeLine(renderTable({ head: QUEUE_HEAD.map(paints.dim), rows: cells }))
  const paused = queues.filter((queue) => queue.paused)
  if (paused.length === 0) return
  writeLine('\nqueue.pause() of BullMQ was called, or a dashboard did; who is not kept. To end it:')
  for (const { queue } of paused) writeLine(`  ${clean(resumeCall(queue))}`)
}

const HEAD = ['PROVIDER', 'EVERY', 'NEXT', 'WHY', 'QUEUE', 'LAST PROBE']
const QUEUE_HEAD = ['QUEUE', 'WAITING', 'UNDER WAY', 'STATE']
const NONE = '-'

function cellsOf(row: ScheduleRow, paints: Paints): string[] {
  const { view, plan, held, overdue } = row
  const { id, probeIntervalMs } = view.snapshot
  return [
    paints.bold(id),
    formatDuration(plan?.intervalMs ?? probeIntervalMs ?? 0),
    overdue || held !== null ? paints.yellow(nextText(row)) : nextText(row),
    plan?.why ?? NONE,
    clean(plan?.queue ?? NONE),
    probeText(view, paints),
  ]
}

const HELD = { paused: 'queue paused', no_worker: 'no worker' } as const

/** When it is due, and what keeps it. */
function nextText({ plan, held, overdue }: ScheduleRow): string {
  if (plan === undefined) return 'not planned: does any process run startProbes()?'
  const next = plan.lateMs > 0 ? `due ${formatAbout(plan.lateMs)} ago` : `in ${formatAbout(plan.nextInMs)}`
  return [next, ...(overdue ? ['overdue'] : []), ...(held === null ? [] : [HELD[held]])].join(', ')
}

function queueCells(queue: ProbeQueueState, paints: Paints): string[] {
  const { waiting, active } = queue
  return [clean(queue.queue), `${waiting}`, `${active}`, stateText(queue, paints)]
}

function stateText({ paused, hasWorker, needs }: ProbeQueueState, { yellow, green }: Paints): string {
  if (paused) return yellow('paused: none of its probes runs')
  if (hasWorker !== false) return green('open')
  return needs === '' ? yellow('no process runs probes') : yellow(`no worker has registered ${clean(needs)}`)
}
