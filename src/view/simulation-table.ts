import type { SimulationResult } from '../simulation/result.js'
import { formatCount, formatDuration, formatRate } from './format.js'
import { renderTable } from './table.js'

/** The results of one source with two settings; `tried` is absent where none were to be tried. */
export interface Compared {
  readonly inForce: SimulationResult
  readonly tried?: SimulationResult
}

/** What the rules did, settings side by side. */
export function simulationTable({ inForce, tried }: Compared, note: string): string {
  const columns = tried === undefined ? [inForce] : [inForce, tried]
  const rows = ROWS.map(([name, cell]) => [name, ...columns.map(cell)])
  const head = ['', 'in force', ...(tried === undefined ? [] : ['with --set'])]
  const table = renderTable({ head, rows })
  return note === '' ? table : `${table}\n\n${note}`
}

const after = (ms: number | null): string => (ms === null ? '-' : formatDuration(ms))

const ROWS: readonly (readonly [string, (result: SimulationResult) => string])[] = [
  ['time simulated', ({ durationMs }) => formatDuration(durationMs)],
  ['calls', ({ calls }) => formatCount(calls)],
  ['openings', ({ openings, failedTrials }) => openingsText(openings, failedTrials)],
  ['opened after', ({ openedAfterMs }) => after(openedAfterMs)],
  ['workers named', ({ namings, wrongNamings }) => namingsText(namings, wrongNamings)],
  ['named after', ({ namedAfterMs }) => after(namedAfterMs)],
  [
    'good calls refused',
    ({ goodRefused, goodCalls, goodRefusedShare }) => shareText(goodRefused, goodCalls, goodRefusedShare),
  ],
  [
    'doomed calls let through',
    ({ doomedLetThrough, doomedCalls }) => `${formatCount(doomedLetThrough)} of ${formatCount(doomedCalls)}`,
  ],
  ['trials', ({ trials }) => formatCount(trials)],
]

const openingsText = (openings: number, failedTrials: number): string =>
  failedTrials === 0
    ? formatCount(openings)
    : `${formatCount(openings)}, of them ${formatCount(failedTrials)} by failed trials`

const namingsText = (namings: number, wrong: number): string =>
  wrong === 0 ? formatCount(namings) : `${formatCount(namings)}, of them ${formatCount(wrong)} wrongly`

const shareText = (part: number, whole: number, share: number): string =>
  `${formatCount(part)} of ${formatCount(whole)} (${formatRate(share)})`
