import type { Inspection } from '../../index.js'
import { clean, formatCount, formatRate } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { suspectText } from '../../view/suspects.js'
import { finding, type Finding } from './finding.js'
import { checkRateWindow } from './rate-window.js'

/** Checks of what opens the circuits: processes that fail alone, and rules that open too easily or judge too little. */
export const checkJudgement = (facts: Inspection, views: readonly ProviderView[]): Finding[] =>
  views.flatMap((view) => [
    ...suspects(view),
    ...rates(view),
    ...checkRateWindow(facts, view),
    ...threshold(view),
  ])

const suspects = ({ snapshot }: ProviderView): Finding[] =>
  snapshot.suspects.map((suspect) =>
    finding(
      'warn',
      `worker ${clean(suspect.worker)}`,
      `${clean(snapshot.id)}: ${suspectText(suspect, snapshot.at)}`,
      'Look at the network, the proxy and the credentials of that process: its calls are refused there, and nowhere else.',
    ),
  )

/** A share of failures that a healthy provider may reach by chance. */
const LOW_RATE = 0.2

const rates = ({ snapshot, settings }: ProviderView): Finding[] =>
  (['failureRate', 'degradedRate'] as const).flatMap((name) => {
    const rate = settings.breaker[name]
    if (rate === undefined || rate >= LOW_RATE) return []
    return finding(
      'warn',
      `settings ${clean(snapshot.id)}`,
      `breaker.${name} ${rate} opens the circuit at ${formatRate(rate)}`,
      'Set it to 0.2 or more: less than that opens a provider that serves nearly all calls.',
    )
  })

/** Above so many calls a second a short run of failures comes by chance. */
const OFTEN = 10
const SHORT_RUN = 3

const threshold = ({ snapshot, settings }: ProviderView): Finding[] => {
  const { failureThreshold } = settings.breaker
  const { historyTotal, windowCoveredMs, id } = snapshot
  const perSecond = windowCoveredMs === 0 ? 0 : (historyTotal * 1_000) / windowCoveredMs
  if (failureThreshold === null || failureThreshold > SHORT_RUN || perSecond <= OFTEN) return []
  return [
    finding(
      'note',
      `settings ${clean(id)}`,
      `breaker.failureThreshold ${failureThreshold} at ${formatCount(Math.floor(perSecond))} calls a second`,
      'A run that short comes by chance there. From three failure domains on: quorum 2, failureThreshold 10, failureRate 0.5.',
    ),
  ]
}
