import type { Inspection } from '../../index.js'
import { clean, formatCount, formatDuration } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { finding, type Finding } from './finding.js'

/** Checks of the window that rates are judged in: beside the pauses of reports, the number of calls, and how long they take. */
export const checkRateWindow = (facts: Inspection, view: ProviderView): Finding[] => {
  const { failureRate, degradedRate } = view.settings.breaker
  if (failureRate === undefined && degradedRate === undefined) return []
  return [...narrow(facts, view), ...rarelyJudged(view), ...slowCalls(view)]
}

/** So many pauses between two flushes of a process the rate window is to span. */
const PAUSES = 4
/** The default budget of one provider, and the share of it that is aimed at. */
const BATCHES_PER_SECOND = 900

const narrow = ({ workers }: Inspection, { snapshot, settings }: ProviderView): Finding[] => {
  const { rateWindowMs } = settings.breaker
  const pauseMs = Math.max(100, (workers.length / BATCHES_PER_SECOND) * 1_000)
  if (rateWindowMs >= PAUSES * pauseMs) return []
  return [
    finding(
      'warn',
      `settings ${clean(snapshot.id)}`,
      `breaker.rateWindowMs spans ${formatDuration(rateWindowMs)}, and each of ${formatCount(workers.length)} processes reports about every ${formatDuration(pauseMs)}`,
      'Make it 4 times as long as that pause, or longer.',
    ),
  ]
}

/** The widest that `rateWindowMs` may be. */
const WIDEST_MS = 600_000

/** By the calls of the whole history window, in which the circuit must have been closed: a window of its own may fall in a lull. */
const rarelyJudged = ({ snapshot, settings }: ProviderView): Finding[] => {
  const { minimumCalls, rateWindowMs, failureThreshold } = settings.breaker
  const { state, at, stateSince, windowCoveredMs, windowCalls, id } = snapshot
  if (state !== 'closed' || at - stateSince < windowCoveredMs) return []
  const perMs = callsOf(snapshot) / windowCoveredMs
  const expected = Math.max(windowCalls, Math.round(perMs * rateWindowMs))
  if (perMs === 0 || expected >= minimumCalls) return []
  const enoughMs = Math.ceil(minimumCalls / perMs / 1_000) * 1_000
  const few = 'With so few calls a failureThreshold of 3 to 5 is better than a rate'
  return [
    finding(
      failureThreshold === null ? 'warn' : 'note',
      `settings ${clean(id)}`,
      `about ${formatCount(expected)} calls come in breaker.rateWindowMs ${formatDuration(rateWindowMs)}, and below breaker.minimumCalls ${formatCount(minimumCalls)} no rate is judged`,
      enoughMs > WIDEST_MS
        ? `${few}.`
        : `${few}; else make the window ${formatDuration(enoughMs)} or longer.`,
    ),
  ]
}

/** Calls of the history window: client errors do not enter the history, and results of probes do. */
function callsOf(snapshot: ProviderView['snapshot']): number {
  const { historyTotal, clientErrors, windowCoveredMs, probeIntervalMs } = snapshot
  const probes = probeIntervalMs === null ? 0 : Math.ceil(windowCoveredMs / probeIntervalMs)
  return Math.max(0, historyTotal - probes) + clientErrors
}

/** No rate is judged before the window is so old, ms: a tenth of it, or this. */
const LEAST_AGE_MS = 1_000
/** So many times the usual latency the window is to span; see docs/choosing-rules.md. */
const LATENCIES = 12

/** How long calls take is not in Redis: `slowMs` is what the settings say of it. */
const slowCalls = ({ snapshot, settings }: ProviderView): Finding[] => {
  const { slowMs = 0, breaker } = settings
  const judgedFromMs = Math.max(LEAST_AGE_MS, breaker.rateWindowMs / 10)
  if (slowMs <= judgedFromMs) return []
  return [
    finding(
      'note',
      `settings ${clean(snapshot.id)}`,
      `a good call may take slowMs ${formatDuration(slowMs)}, and a rate is judged after ${formatDuration(judgedFromMs)} of breaker.rateWindowMs ${formatDuration(breaker.rateWindowMs)}, when only quick failures have come`,
      `Where calls usually take longer than ${formatDuration((judgedFromMs * 10) / LATENCIES)}, make the window ${LATENCIES} times as long as they take.`,
    ),
  ]
}
