import { clean, formatAbout, formatCount, plural } from './format.js'
import type { Matrix, MatrixCell, MatrixColumn, MatrixRow } from './matrix.js'

/** More of one kind are told as a number. */
const MOST = 3
/** So many failures in one cell alone are worth a sentence. */
const MANY = 3

/** Bad workers and providers in sentences, the gravest first. Never empty. */
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

/** Failures that no bad worker and no bad provider explains. */
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

/** How a cell is drawn: `failing`, `some` of its calls failed, or `none`. */
export const cellMark = ({ failing, failures }: MatrixCell): 'failing' | 'some' | 'none' =>
  failing ? 'failing' : failures > 0 ? 'some' : 'none'

/** `9 of 9 calls failed, the last 4s ago; it fails alone there` */
export function cellText({ calls, failures, lastAgoMs, suspect }: MatrixCell): string {
  const alone = suspect ? '; it fails alone there' : ''
  if (lastAgoMs === null) return `no call was let through${alone}`
  const last = calls === 1 ? formatAbout(lastAgoMs) : `the last ${formatAbout(lastAgoMs)}`
  return `${formatCount(failures)} of ${plural(calls, 'call')} failed, ${last} ago${alone}`
}

/** Over which time, and why there may be little yet. */
export function countedText({ countedForMs, omitted }: Matrix): string {
  const since = `Counted for ${formatAbout(countedForMs)}, only while this is looked at.`
  const left = [
    omitted.providers > 0 ? `${plural(omitted.providers, 'provider')} more were not read` : '',
    omitted.workers > 0 ? `${plural(omitted.workers, 'worker')} more are not told` : '',
    omitted.cells > 0 ? `${plural(omitted.cells, 'pair')} more are not told` : '',
  ].filter((text) => text !== '')
  return left.length === 0 ? since : `${since} There are too many: ${left.join(', ')}.`
}

/** `12 workers more fail. 460 workers without failures are not shown.`; empty when all are shown. */
export function leftOutText(
  { failing, quiet }: { readonly failing: number; readonly quiet: number },
  what: 'worker' | 'provider',
): string {
  const more = failing > 0 ? `${plural(failing, `${what} more fails`, `${what}s more fail`)}.` : ''
  const still =
    quiet > 0 ? `${plural(quiet, what)} without failures ${quiet === 1 ? 'is' : 'are'} not shown.` : ''
  return [more, still].filter((text) => text !== '').join(' ')
}
