import { formatAbout, formatCount, formatRate } from './format.js'
import { paintHealth, paintState, type Paints } from './paint.js'
import { retryIn, why, type ProviderView } from './provider-view.js'
import { COLUMN_GAP, renderRow, widthsOf } from './table.js'
import { cutEnd, cutMiddle, wrapTo } from './text-width.js'

/** The room for a table. Files and pipes have no limit: each provider is one whole line, for grep. */
export interface TableRoom {
  readonly columns?: number
  /** The most lines of a reason; the rest is cut. Default: as many as it needs. */
  readonly reasonLines?: number
  /** Widths of an earlier table: columns only grow, so that a table drawn every second stands still. */
  readonly widths?: readonly number[]
}

/** A table whose rows can be shown in part. */
export interface StatusRows {
  readonly head: string
  /** The lines of each provider, as many providers as were given. */
  readonly rows: readonly (readonly string[])[]
  readonly widths: readonly number[]
}

const TITLES = [
  'PROVIDER',
  'HEALTH',
  'CIRCUIT',
  'RETRY IN',
  'SUCCESS',
  'LAST PROBE',
  'TRIALS',
  'MARK',
] as const
const WHY = 'WHY'
const GAP = COLUMN_GAP.length
const MIN_WHY_WIDTH = 24
/** A longer id is cut before a column is left out; an id of this length never is. */
const KEPT_ID_WIDTH = 24
const MIN_ID_WIDTH = 8
const INDENT = '    '
const NONE = '-'

/** Layouts, of which the first that fits is taken: the number of columns, and the place of the reason. */
const LAYOUTS = [
  { shown: 8, beside: true },
  { shown: 6, beside: true },
  { shown: 6, beside: false },
  { shown: 5, beside: false },
  { shown: 4, beside: false },
  { shown: 3, beside: false },
] as const

export const statusTable = (views: readonly ProviderView[], paints: Paints, room: TableRoom = {}): string => {
  const { head, rows } = statusRows(views, paints, room)
  return [head, ...rows.flat()].join('\n')
}

/** Long ids are cut in the middle, and on a narrow screen the reason goes below its row. */
export function statusRows(
  views: readonly ProviderView[],
  paints: Paints,
  { columns = Infinity, reasonLines = Infinity, widths: earlier = [] }: TableRoom = {},
): StatusRows {
  const cells = views.map((view) => cellsOf(view, paints))
  const widths = widthsOf([TITLES, ...cells]).map((width, at) => Math.max(width, earlier[at] ?? 0))
  const { shown, beside, idWidth, whyWidth } = layoutFor(widths, columns)
  const shownWidths = [idWidth, ...widths.slice(1, shown)]
  const line = (row: readonly string[]) => renderRow(row.slice(0, shown), shownWidths)
  const reasons = { lines: reasonLines, width: whyWidth }
  return {
    widths,
    head: renderRow([...TITLES.slice(0, shown), ...(beside ? [WHY] : [])].map(paints.dim), shownWidths),
    rows: views.map((view, at) => {
      const [id = '', ...rest] = cells[at] ?? []
      const row = [paints.bold(cutMiddle(id, idWidth)), ...rest]
      const reason = reasonOf(why(view), reasons)
      if (!beside) return [line(row), ...reason.map((text) => paints.dim(INDENT + text))]
      const [first = NONE, ...more] = reason
      const indent = ' '.repeat(shownWidths.reduce((sum, width) => sum + width + GAP, 0))
      return [renderRow([...row.slice(0, shown), first], shownWidths), ...more.map((text) => indent + text)]
    }),
  }
}

function layoutFor(widths: readonly number[], columns: number) {
  const [id = 0, ...others] = widths
  const needed = Math.min(id, KEPT_ID_WIDTH)
  const roomOf = ({ shown, beside }: (typeof LAYOUTS)[number]) =>
    columns - others.slice(0, shown - 1).reduce((sum, width) => sum + width + GAP, 0) - (beside ? GAP : 0)
  const fits = LAYOUTS.find((layout) => roomOf(layout) >= needed + (layout.beside ? MIN_WHY_WIDTH : 0))
  const layout = fits ?? LAYOUTS[5]
  const room = roomOf(layout)
  if (!layout.beside) {
    return {
      ...layout,
      idWidth: Math.max(MIN_ID_WIDTH, Math.min(id, room)),
      whyWidth: columns - INDENT.length,
    }
  }
  const half = Math.max(KEPT_ID_WIDTH, Math.floor(room / 2))
  const idWidth = Math.min(id, half, room - MIN_WHY_WIDTH)
  return { ...layout, idWidth, whyWidth: room - idWidth }
}

function reasonOf(reason: string, { lines, width }: { lines: number; width: number }): string[] {
  if (reason === '') return []
  if (width === Infinity) return [reason]
  const wrapped = wrapTo(reason, Math.max(1, width))
  if (wrapped.length <= lines) return wrapped
  return [...wrapped.slice(0, lines - 1), cutEnd(wrapped.slice(lines - 1).join(' '), width)]
}

/** The cells below `TITLES`. */
function cellsOf(view: ProviderView, paints: Paints): string[] {
  const { snapshot, settings } = view
  const { id, health, state, trials, mark } = snapshot
  return [
    id,
    paintHealth(paints, health),
    paintState(paints, state),
    retryText(view),
    successText(view),
    probeText(view, paints),
    state === 'half_open' ? `${trials} of ${settings.breaker.halfOpenMaxTrials}` : NONE,
    mark ?? NONE,
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
