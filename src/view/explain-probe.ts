import { formatAbout, formatDuration } from './format.js'
import { pausedText } from './paused.js'
import type { ProviderView } from './provider-view.js'

/** A provider's probe in sentences: how the last ended, and what keeps the next from being made. */
export function explainProbe(
  { snapshot, settings, problems }: ProviderView,
  pausedQueues: readonly string[],
): string {
  const { probe } = settings
  if (probe === undefined) {
    return problems.some((problem) => problem.startsWith('probe'))
      ? 'One is configured that this version of Busbar cannot read; workers that can read it make it.'
      : 'No probe is configured: only calls say how it is.'
  }
  const { lastProbeAt, lastProbeStatus, lastProbeDetail, at, stale } = snapshot
  const every = `every ${formatDuration(snapshot.probeIntervalMs ?? probe.intervalMs)}`
  const paused = pausedText(pausedQueues)
  const question = stale ? ' That is stale: does any process run startProbes()?' : ''
  const late = paused === '' ? question : `${stale ? ' That is stale.' : ''} None is made now: ${paused}.`
  if (lastProbeAt === null || lastProbeStatus === null)
    return `None has ended yet; one is due ${every}.${late}`
  const detail = lastProbeDetail === '' ? '' : ` (${lastProbeDetail})`
  return `The last was ${lastProbeStatus}${detail}, ${formatAbout(at - lastProbeAt)} ago, ${every}.${late}`
}
