import type { Matrix, MatrixCell, MatrixColumn, MatrixRow } from '../../view/matrix.js'
import { finderOf } from '../../view/provider-list.js'
import { holdOrder } from './windowing.js'

/** The filter of the matrix. */
export interface MatrixFilter {
  /** A part of the name of a worker or of a provider, or a pattern; empty: all. */
  readonly find: string
  /** Also workers and providers without a failure, however many there are. */
  readonly quiet: boolean
}

/** One side of the matrix: those that are drawn, and how many are not. */
export interface Side<T> {
  readonly shown: readonly T[]
  /** Left out for want of room, though they fail; and left out because they do not. */
  readonly failing: number
  readonly quiet: number
}

export interface CutMatrix {
  readonly workers: Side<MatrixRow>
  readonly providers: Side<MatrixColumn>
  readonly cellOf: (worker: string, provider: string) => MatrixCell | undefined
}

/** So much is drawn at once, at most. */
const MOST_ROWS = 40
const MOST_COLUMNS = 30

/**
 * The part of a matrix that is drawn: all of it where it is small; else those that fail, as many as there is room for. A name
 * that is looked for is drawn whatever it does, with those that fail on the other side.
 */
export function cutMatrix(matrix: Matrix, { find, quiet }: MatrixFilter): CutMatrix {
  const finds = find === '' ? undefined : finderOf(find)
  const isFound = ({ id }: { readonly id: string }) => finds?.(id) === true
  const sideOf = <T extends MatrixRow | MatrixColumn>(all: readonly T[], most: number): Side<T> => {
    const found = all.filter(isFound)
    const wanted = found.length > 0 ? found : all
    const fits = quiet || found.length > 0 || all.length <= most
    const shown = wanted.filter(({ verdict }) => fits || verdict !== 'ok').slice(0, most)
    const failing = wanted.filter(({ verdict }) => verdict !== 'ok').length
    const shownFailing = shown.filter(({ verdict }) => verdict !== 'ok').length
    return {
      shown,
      failing: failing - shownFailing,
      quiet: wanted.length - failing - (shown.length - shownFailing),
    }
  }
  const cells = new Map(matrix.cells.map((cell) => [`${cell.worker}\n${cell.provider}`, cell]))
  return {
    workers: sideOf(matrix.workers, MOST_ROWS),
    providers: sideOf(matrix.providers, MOST_COLUMNS),
    cellOf: (worker, provider) => cells.get(`${worker}\n${provider}`),
  }
}

/** Which were drawn, in which order, and how they were then. */
export interface Drawn {
  readonly how: string
  readonly order: readonly string[]
}
export const NOT_DRAWN: Drawn = { how: '', order: [] }

/**
 * The worst first when one becomes better or worse; between that nothing moves, though the numbers do. `hold`: nothing moves,
 * for so few calls were counted that verdicts come and go.
 */
export function steady<T extends MatrixRow | MatrixColumn>(
  shown: readonly T[],
  last: Drawn,
  hold: boolean,
): { readonly items: readonly T[]; readonly drawn: Drawn } {
  const how = [...shown]
    .map(({ id, verdict }) => `${id} ${verdict}`)
    .sort()
    .join('\n')
  const items = hold || how === last.how ? holdOrder(shown, last.order, ({ id }) => id) : shown
  return { items, drawn: { how: hold ? '' : how, order: items.map(({ id }) => id) } }
}
