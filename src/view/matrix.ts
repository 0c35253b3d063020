import type { CallsByWorker, CircuitState } from '../index.js'

/**
 * Workers x providers: a red row is a bad worker, a red column a bad provider. Made of calls that were counted while somebody
 * looked; see `busbar.callsByWorker`. `matrixSentences` says what stands out.
 *
 * A cell **fails** when at least half of its calls failed, or the last three, or the worker is a suspect there; where the circuit
 * is not closed and refuses calls, when the last one failed, for there will be few more. A provider is bad when it fails in most of
 * the workers that called it, two or more; two are enough where it refuses calls. A worker is bad when it fails at most of the
 * other providers that it called, two or more; one will do where it is a suspect.
 */
export interface Matrix {
  /** For how long calls have been counted, ms, at most 60 000: what is older is forgotten. */
  readonly countedForMs: number
  /** The worst first. */
  readonly workers: readonly MatrixRow[]
  readonly providers: readonly MatrixColumn[]
  /** One for each worker and provider between which there was a call, those that fail first. */
  readonly cells: readonly MatrixCell[]
  /** Left out, because there are so many. */
  readonly omitted: { readonly workers: number; readonly providers: number; readonly cells: number }
}

/** `bad`: it stands out; `failing`: it fails somewhere; `ok`: nowhere. */
export type MatrixVerdict = 'bad' | 'failing' | 'ok'

interface Sums {
  readonly id: string
  readonly calls: number
  readonly failures: number
  /** How many there are on the other side: providers that a worker called, workers that called a provider. */
  readonly met: number
  /** In how many of those it fails. */
  readonly failing: number
  readonly verdict: MatrixVerdict
}

export interface MatrixRow extends Sums {
  /** Those of `met` and `failing` that are no bad providers. */
  readonly elsewhere: { readonly met: number; readonly failing: number }
}

export interface MatrixColumn extends Sums {
  readonly state: CircuitState
  /** Calls of workers beyond the first 500, which have no row. */
  readonly others: { readonly calls: number; readonly failures: number } | null
}

export interface MatrixCell {
  readonly worker: string
  readonly provider: string
  readonly calls: number
  readonly failures: number
  /** Calls that have failed since the last that did not. */
  readonly inARow: number
  readonly failing: boolean
  /** Whether the quorum suspects the worker there. */
  readonly suspect: boolean
  /** How long ago the last call was applied, ms; null where none was counted. */
  readonly lastAgoMs: number | null
}

/** One provider's part of a matrix. */
export interface MatrixSource {
  readonly id: string
  readonly state: CircuitState
  /** false: its open circuit refuses no call. */
  readonly enforce: boolean
  /** Workers that fail alone there. */
  readonly suspects: readonly string[]
  readonly byWorker: CallsByWorker
}

export const MAX_MATRIX_WORKERS = 1_000
export const MAX_MATRIX_CELLS = 5_000
const FORGOTTEN_MS = 60_000

/** `omitted`: providers that were not even read. */
export function matrixOf(sources: readonly MatrixSource[], omitted = 0): Matrix {
  const cells = sources.flatMap(cellsOf)
  const columns = columnsOf(
    sources,
    groupBy(cells, ({ provider }) => provider),
  )
  const bad = new Set(columns.filter(({ verdict }) => verdict === 'bad').map(({ id }) => id))
  const rows = [...groupBy(cells, ({ worker }) => worker)].map(([id, own]) => rowOf(id, own, bad))
  const workers = rows.sort(worseFirst)
  const shown = new Set(workers.slice(0, MAX_MATRIX_WORKERS).map(({ id }) => id))
  const kept = cells
    .filter(({ worker }) => shown.has(worker))
    .sort((a, b) => Number(b.failing) - Number(a.failing) || b.failures - a.failures)
    .slice(0, MAX_MATRIX_CELLS)
  const providers = columns.sort((a, b) => refusesFirst(a, b) || worseFirst(a, b))
  const countedMs = Math.max(0, ...sources.map(({ byWorker }) => byWorker.countedForMs))
  const countedForMs = Math.min(FORGOTTEN_MS, countedMs)
  return {
    countedForMs,
    workers: workers.slice(0, MAX_MATRIX_WORKERS),
    providers,
    cells: kept,
    omitted: {
      workers: Math.max(0, workers.length - MAX_MATRIX_WORKERS),
      providers: omitted,
      cells: cells.length - kept.length,
    },
  }
}

const MANY_IN_A_ROW = 3

/** Few calls come through then. */
const refuses = ({ state, enforce }: MatrixSource): boolean => enforce && state !== 'closed'

function cellsOf(source: MatrixSource): MatrixCell[] {
  const { id: provider, suspects, byWorker } = source
  const { workers } = byWorker
  const many = refuses(source) ? 1 : MANY_IN_A_ROW
  const called = new Set(workers.map(({ worker }) => worker))
  const silent = suspects.filter((worker) => !called.has(worker))
  return [
    ...workers.map((own) => {
      const { calls, failures, inARow } = own
      const suspect = suspects.includes(own.worker)
      const mostly = failures > 0 && failures * 2 >= calls
      const failing = suspect || mostly || inARow >= many
      return { ...own, provider, failing, suspect }
    }),
    // Its own circuit refuses its calls.
    ...[...new Set(silent)].map((worker) => {
      const none = { calls: 0, failures: 0, inARow: 0, lastAgoMs: null }
      return { worker, provider, ...none, failing: true, suspect: true }
    }),
  ]
}

function columnsOf(sources: readonly MatrixSource[], cells: ReadonlyMap<string, MatrixCell[]>) {
  return sources.map((source): MatrixColumn => {
    const { id, state, byWorker } = source
    const sums = sumsOf(id, cells.get(id) ?? [])
    const isBad = sums.failing >= 2 && (refuses(source) || sums.failing * 2 > sums.met)
    const verdict = isBad ? 'bad' : state === 'closed' ? sums.verdict : 'failing'
    return { ...sums, state, others: byWorker.others, verdict }
  })
}

function rowOf(id: string, cells: readonly MatrixCell[], badProviders: ReadonlySet<string>): MatrixRow {
  const sums = sumsOf(id, cells)
  const others = cells.filter(({ provider }) => !badProviders.has(provider))
  const failing = others.filter((cell) => cell.failing)
  const least = failing.some(({ suspect }) => suspect) ? 1 : 2
  const isBad = failing.length >= least && failing.length * 2 > others.length
  const elsewhere = { met: others.length, failing: failing.length }
  return { ...sums, elsewhere, verdict: isBad ? 'bad' : sums.verdict }
}

function sumsOf(id: string, cells: readonly MatrixCell[]): Sums {
  let [calls, failures, failing] = [0, 0, 0]
  for (const cell of cells) {
    calls += cell.calls
    failures += cell.failures
    if (cell.failing) failing += 1
  }
  return { id, calls, failures, met: cells.length, failing, verdict: failing > 0 ? 'failing' : 'ok' }
}

const RANK: Readonly<Record<MatrixVerdict, number>> = { bad: 0, failing: 1, ok: 2 }

/** Among those that are equally bad: few calls come through where the circuit is not closed. */
const refusesFirst = (a: MatrixColumn, b: MatrixColumn): number =>
  RANK[a.verdict] - RANK[b.verdict] || Number(b.state !== 'closed') - Number(a.state !== 'closed')

const worseFirst = (a: Sums, b: Sums): number =>
  RANK[a.verdict] - RANK[b.verdict] ||
  b.failing - a.failing ||
  b.failures - a.failures ||
  (a.id < b.id ? -1 : 1)

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
