import { clean, formatAbout, formatCount, plural } from './format.js'
import type { Matrix, MatrixCell, MatrixColumn, MatrixRow } from './matrix.js'

/** More of one kind are told as a number. */
const MOST = 3
/** So many failures in one cell alone are worth a sentence. */
const MANY = 3

/** What stands out among workers and providers, the gravest first. Never empty. */
export function matrixSentences(matrix: Matrix): string[] {
  const { workers, providers, cells } = matrix
  const badWorkers = workers.filter(({ verdict }) => verdict === 'bad')
  const badProviders = providers.filter(({ verdict }) => verdict === 'bad')
  const said = [
    ...sharedCause(badProviders, providers),
    ...few(badWorkers, 'worker', (row) => workerSentence(row, badProviders.length > 0)),
    ...few(badProviders, 'provider', providerSentence),
    ...few(loneCells(cells, badWorkers, badProviders), 'pair', (cell) => cellSentence(cell, providers)),
    ...few(providers.filter(onlyTrials), 'open provider', trialsSentence),
  ]
  return (said.length > 0 ? said : [quietSentence(matrix)]).map(clean)
}

function few<T>(items: readonly T[], what: string, sentence: (item: T) => string): string[] {
  const rest = items.length - MOST
  const more = rest > 0 ? [`So it is with ${plural(rest, `${what} more`, `${what}s more`)}.`] : []
  return [...items.slice(0, MOST).map(sentence), ...more]
}

/** Where nearly everything fails, the providers are hardly to blame. */
function sharedCause(bad: readonly MatrixColumn[], providers: readonly MatrixColumn[]): string[] {
  const called = providers.filter(({ met }) => met > 0).length
  if (bad.length < 2 || bad.length * 2 <= called) return []
  const share = `${formatCount(bad.length)} of ${plural(called, 'provider')}`
  return [`${share} fail in most workers: look first at what the workers share, such as their network.`]
}

function workerSentence({ id, elsewhere, met }: MatrixRow, othersFail: boolean): string {
  const which = othersFail && met > elsewhere.met ? ' that answer other workers' : ''
  return `${id} fails at ${formatCount(elsewhere.failing)} of ${plural(elsewhere.met, 'provider')}${which}: a bad worker.`
}

const providerSentence = ({ id, failing, met, state }: MatrixColumn): string =>
  `${id} fails in ${formatCount(failing)} of ${plural(met, 'worker')}: a bad provider${state === 'closed' ? '' : ` (${state})`}.`

/** What no bad worker and no bad provider explains. */
const loneCells = (
  cells: readonly MatrixCell[],
  badWorkers: readonly MatrixRow[],
  badProviders: readonly MatrixColumn[],
): MatrixCell[] => {
  const [workers, providers] = [badWorkers, badProviders].map((bad) => new Set(bad.map(({ id }) => id)))
  return cells
    .filter(({ failing, suspect, failures }) => failing && (suspect || failures >= MANY))
    .filter(({ worker, provider }) => workers?.has(worker) !== true && providers?.has(provider) !== true)
    .sort((a, b) => Number(b.suspect) - Number(a.suspect) || b.failures - a.failures)
}

function cellSentence({ worker, provider, suspect }: MatrixCell, providers: readonly MatrixColumn[]): string {
  const column = providers.find(({ id }) => id === provider)
  const well = (column?.met ?? 0) - (column?.failing ?? 0)
  const others =
    well === 0
      ? 'and no other worker called it'
      : `and ${plural(well, 'other worker does', 'other workers do')} not`
  return `${worker} fails at ${provider}, ${others}${suspect ? ': it fails alone' : ''}.`
}

/** Its calls are refused, so its column is nearly empty, and says little. */
const onlyTrials = ({ state, met, verdict }: MatrixColumn): boolean =>
  state !== 'closed' && verdict !== 'bad' && met <= 1

const trialsSentence = ({ id, state }: MatrixColumn): string =>
  `${id} is ${state}: its calls are refused, so no more than trials are counted here.`

function quietSentence({ countedForMs, workers, providers }: Matrix): string {
  const calls = workers.reduce((sum, row) => sum + row.calls, 0)
  const counted = formatAbout(countedForMs)
  if (calls === 0) return `No call has ended since counting began ${counted} ago.`
  const called = providers.filter(({ met }) => met > 0).length
  const where = `${plural(workers.length, 'worker')} at ${plural(called, 'provider')}`
  return `No worker and no provider stands out: ${plural(calls, 'call')} of ${where} in the last ${counted}.`
}
