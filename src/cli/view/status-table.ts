import { formatAbout, formatCount, formatRate } from '../format.js'
import { paintHealth, paintState, type Paints } from './paint.js'
import { retryIn, why, type ProviderView } from './provider-view.js'
import { renderTable, widthOf } from './table.js'

const HEAD = ['PROVIDER', 'HEALTH', 'CIRCUIT', 'RETRY IN', 'SUCCESS', 'LAST PROBE', 'TRIALS', 'MARK', 'WHY']
const COLUMN_GAP = 2
const MIN_WHY_WIDTH = 24
const NONE = '-'

/** One row a provider. Narrow screens go without trials and marks: the reason names them too. */
export function statusTable(views: readonly ProviderView[], paints: Paints, columns: number): string {
  const rows = views.map((view) => rowOf(view, paints))
  const widths = HEAD.map((title, at) => Math.max(title.length, ...rows.map((row) => widthOf(row[at] ?? ''))))
  const left = (shown: readonly number[]) =>
    columns - shown.reduce((sum, at) => sum + (widths[at] ?? 0) + COLUMN_GAP, 0)
  const wide = [0, 1, 2, 3, 4, 5, 6, 7]
  const shown = left(wide) >= MIN_WHY_WIDTH ? wide : wide.slice(0, 6)
  const pick = (cells: readonly string[]) => [...shown, 8].map((at) => cells[at] ?? '')
  return renderTable({
    head: pick(HEAD).map((title) => paints.dim(title)),
    rows: rows.map(pick),
    lastWidth: Math.max(MIN_WHY_WIDTH, left(shown)),
  })
}

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
