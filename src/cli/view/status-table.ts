import { formatAbout, formatCount, formatRate, wrap } from '../format.js'
import { paintHealth, paintState, type Paints } from './paint.js'
import { retryIn, why, type ProviderView } from './provider-view.js'
import { renderTable, widthOf } from './table.js'

const HEAD = ['PROVIDER', 'HEALTH', 'CIRCUIT', 'RETRY IN', 'SUCCESS', 'LAST PROBE', 'TRIALS', 'MARK', 'WHY']
const COLUMN_GAP = 2
const MIN_WHY_WIDTH = 24
const NONE = '-'

/** One row a provider. On a narrow screen the reason goes below its row, and names trials and mark with it. */
export function statusTable(views: readonly ProviderView[], paints: Paints, columns: number): string {
  const rows = views.map((view) => rowOf(view, paints))
  const widths = HEAD.map((title, at) => Math.max(title.length, ...rows.map((row) => widthOf(row[at] ?? ''))))
  const left = columns - widths.slice(0, -1).reduce((sum, width) => sum + width + COLUMN_GAP, 0)
  const head = HEAD.map((title) => paints.dim(title))
  if (left >= MIN_WHY_WIDTH) return renderTable({ head, rows, lastWidth: left })
  const narrow = (cells: readonly string[]) => cells.slice(0, NARROW_COLUMNS)
  const [first = '', ...lines] = renderTable({ head: narrow(head), rows: rows.map(narrow) }).split('\n')
  const reasons = rows.map((row) => row.at(-1) ?? NONE)
  return [first, ...lines.flatMap((line, at) => [line, ...reasonBelow(reasons[at], paints, columns)])].join(
    '\n',
  )
}

const NARROW_COLUMNS = 6
const INDENT = '    '

const reasonBelow = (reason: string | undefined, paints: Paints, columns: number): string[] =>
  reason === undefined || reason === NONE
    ? []
    : wrap(reason, columns - INDENT.length - 1).map((line) => paints.dim(INDENT + line))

function rowOf(view: ProviderView, paints: Paints): string[] {
  const { snapshot, settings } = view
  const { id, health, state, trials, mark } = snapshot
  return [
    paints.bold(id),
    paintHealth(paints, health),
    paintState(paints, state),
    retryText(view),
    successText(view),
    probeText(view, paints),
    state === 'half_open' ? `${trials} of ${settings.breaker.halfOpenMaxTrials}` : NONE,
    mark ?? NONE,
    why(view) || NONE,
  ]
}

export function retryText({ snapshot }: ProviderView): string {
  const retry = retryIn(snapshot)
  return typeof retry === 'number' ? formatAbout(retry) : (retry ?? NONE)
}

export function successText({ snapshot }: ProviderView): string {
  const { successRate, historyTotal } = snapshot
  return historyTotal === 0 ? 'no records' : `${formatRate(successRate)} of ${formatCount(historyTotal)}`
}

export function probeText({ snapshot, settings }: ProviderView, paints: Paints): string {
  const { lastProbeAt, lastProbeStatus, at, stale } = snapshot
  if (settings.probe === undefined) return NONE
  const result =
    lastProbeAt === null || lastProbeStatus === null
      ? 'none yet'
      : `${lastProbeStatus} ${formatAbout(at - lastProbeAt)} ago`
  return stale ? paints.yellow(`stale: ${result}`) : result
}
