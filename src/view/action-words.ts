import { clean, formatCount, formatDuration, formatExact, pluralExact } from './format.js'
import type { ProviderView } from './provider-view.js'
import type { Mark, ProbeReport } from '../index.js'

/** An action that an operator is about to take. */
export type Intent =
  | { readonly action: 'trip'; readonly forMs: number | null }
  | { readonly action: 'mark'; readonly mark: Mark; readonly forMs: number | null }
  | { readonly action: 'reset' | 'resume' | 'probe' }

/** The consequence of an action, before it is taken. `workers`: processes that are alive; undefined where that is not known. */
export function actionSentence(intent: Intent, view: ProviderView, workers: number | undefined): string {
  const { snapshot } = view
  switch (intent.action) {
    case 'trip':
      return `${refuses(view, workers)} ${untilText(intent.forMs, 'Then trials decide whether it closes.', 'reset')}`
    case 'mark':
      return `${markEffect(intent.mark, view, workers)} ${untilText(intent.forMs, 'Then the mark ends.', 'resume')}`
    case 'reset':
      return snapshot.mark === null || snapshot.mark === 'degraded'
        ? `Closes the circuit: calls go through in ${everyWorker(workers)}, at once. All its counters begin at 0.`
        : `Closes the circuit, and all its counters begin at 0. Calls stay refused: it is marked ${snapshot.mark}.`
    case 'resume':
      return snapshot.state === 'open'
        ? 'Clears the mark. Calls stay refused: its circuit is open.'
        : `Clears the mark: its circuit, which is ${snapshot.state}, decides again in ${everyWorker(workers)}.`
    case 'probe':
      return 'Makes one health check now. Its outcome counts, as that of a planned one.'
    default:
      return intent satisfies never
  }
}

function markEffect(mark: Mark, view: ProviderView, workers: number | undefined): string {
  switch (mark) {
    case 'degraded':
      return `Shows it as degraded in ${everyWorker(workers)}. Calls and probes go on.`
    case 'unhealthy':
    case 'terminated':
      return `${refuses(view, workers)} Probes are stopped.`
    default:
      return mark satisfies never
  }
}

const refuses = ({ snapshot }: ProviderView, workers: number | undefined): string =>
  snapshot.enforce
    ? `Refuses calls in ${everyWorker(workers)}.`
    : 'Refuses nothing, because enforce is false: it is only counted and announced.'

const everyWorker = (workers: number | undefined): string =>
  workers === undefined || workers === 0
    ? 'every worker'
    : workers === 1
      ? 'the one worker'
      : `all ${formatCount(workers)} workers`

const untilText = (forMs: number | null, then: string, release: string): string =>
  forMs === null ? `It has no end: only a ${release} ends it.` : `It lasts ${formatDuration(forMs)}. ${then}`

/** `3 providers of 1,012`; empty while all are shown. */
export const shownText = (shown: number, of: number): string =>
  shown === of ? '' : `${pluralExact(shown, 'provider')} of ${formatExact(of)}`

/** How a health check by hand ended. */
export function probedSentence(report: ProbeReport): string {
  if (!report.probed) return clean(`No health check was made: ${report.reason}.`)
  const detail = report.detail === '' ? '' : ` (${report.detail})`
  const trial = report.trial ? ', as a trial' : ''
  return clean(`${report.worker} checked it${trial}: ${report.status}${detail}.`)
}
