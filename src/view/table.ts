import { padTo, widthOf } from './text-width.js'

export interface TableOptions {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A table without lines, with two spaces between columns, so that it is easy to copy. Nothing is cut. */
export function renderTable({ head, rows }: TableOptions): string {
  const widths = widthsOf([head, ...rows])
  return [head, ...rows].map((cells) => renderRow(cells, widths)).join('\n')
}

export const COLUMN_GAP = '  '

/** The cells of one line, each as wide as its column, but for the last. */
export const renderRow = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, at) => padTo(cell, widths[at] ?? 0))
    .join(COLUMN_GAP)
    .trimEnd()

/** The widest cell of each column. */
export const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, at) => rows.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), 0))
