import { formatCount, formatDuration, formatRate, plural } from './format.js'
import type { ProviderView } from './provider-view.js'

/** The rate window in a sentence; empty while no rate rule is on. */
export function rateText({ snapshot, settings }: Pick<ProviderView, 'snapshot' | 'settings'>): string {
  const { failureRate: failed, degradedRate: degraded, minimumCalls, rateWindowMs } = settings.breaker
  if ((failed === undefined && degraded === undefined) || snapshot.state !== 'closed') return ''
  const calls = plural(snapshot.windowCalls, 'call')
  const span = `the last ${formatDuration(rateWindowMs)}`
  if (snapshot.failureRate === null || snapshot.degradedRate === null)
    return `${calls} in ${span}: no rate is judged below ${formatCount(minimumCalls)}.`
  const parts = [
    ...(failed === undefined
      ? []
      : [`${formatRate(snapshot.failureRate)} failed (${formatRate(failed)} opens it)`]),
    ...(degraded === undefined
      ? []
      : [`${formatRate(snapshot.degradedRate)} were degraded or failed (${formatRate(degraded)} opens it)`]),
  ]
  return `Of ${calls} in ${span} ${parts.join(', and ')}.`
}

/** `3`; with a quorum `3 from 2 failure domains`. `threshold`: of a rule. */
export const fromDomains = (threshold: string, { quorum }: ProviderView['settings']['breaker']): string =>
  quorum > 1 ? `${threshold} from ${quorum} failure domains` : threshold

const RATE = /^(failure|degraded) rate ([\d.]+) % of (\d+) calls? \(limit ([\d.]+) %\)/

/** A reason of the circuit for people who read sentences: Redis keeps it in 64 bytes. */
export function longReason(reason: string): string {
  const [short, kind, share, calls, limit] = RATE.exec(reason) ?? []
  if (short === undefined) return reason
  const bad = kind === 'degraded' ? 'were degraded or failed' : 'failed'
  const setting = kind === 'degraded' ? 'degradedRate' : 'failureRate'
  const long = `${share} % of ${formatCount(Number(calls))} calls in the rate window ${bad}, and ${limit} % open the circuit (breaker.${setting})`
  return long + reason.slice(short.length)
}
