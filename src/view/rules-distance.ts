import { formatCount, formatDuration, formatRate } from './format.js'
import type { ProviderView } from './provider-view.js'

type Judged = Pick<ProviderView, 'snapshot' | 'settings'>

/** How far a provider is from one rule that opens its circuit. */
export interface RuleDistance {
  /** `failures`, `failed probes`, `failure rate`, `degraded rate`, `quorum`. */
  readonly rule: string
  /** `2 of 3`, `18% of 50% over 214 calls`. */
  readonly text: string
  /** The share of the way that it has gone, 0 to 1: at 1 the rule opens it. Null: nothing to measure. */
  readonly share: number | null
}

/** One for each rule that is on, while the circuit is closed. Otherwise none: then trials decide, and no rule. */
export function rulesDistance(view: Judged): readonly RuleDistance[] {
  if (view.snapshot.state !== 'closed') return []
  return [...streaks(view), ...rates(view), ...quorum(view)]
}

/** `failures 2 of 3; failure rate 18% of 50% over 214 calls; quorum 2 failure domains must see it`; empty while the circuit is not closed. */
export const distanceText = (view: Judged): string =>
  rulesDistance(view)
    .map(({ rule, text }) => `${rule} ${text}`)
    .join('; ')

function streaks({ snapshot, settings }: Judged): RuleDistance[] {
  const { failureThreshold: threshold } = settings.breaker
  if (threshold === null) return []
  const streak = (rule: string, count: number): RuleDistance => ({
    rule,
    text: `${formatCount(count)} of ${formatCount(threshold)}`,
    share: Math.min(1, count / threshold),
  })
  const probes =
    settings.probe === undefined ? [] : [streak('failed probes', snapshot.probeConsecutiveFailures)]
  return [streak('failures', snapshot.consecutiveFailures), ...probes]
}

function rates({ snapshot, settings }: Judged): RuleDistance[] {
  const { failureRate, degradedRate } = settings.breaker
  const rate = (rule: string, now: number | null, limit: number | undefined): RuleDistance[] =>
    limit === undefined ? [] : [rateDistance(rule, { now, limit }, { snapshot, settings })]
  return [
    ...rate('failure rate', snapshot.failureRate, failureRate),
    ...rate('degraded rate', snapshot.degradedRate, degradedRate),
  ]
}

function rateDistance(
  rule: string,
  { now, limit }: { now: number | null; limit: number },
  { snapshot, settings }: Judged,
): RuleDistance {
  const { minimumCalls, rateWindowMs } = settings.breaker
  const calls = formatCount(snapshot.windowCalls)
  if (now === null) {
    const least = `${calls} of ${formatCount(minimumCalls)} calls in ${formatDuration(rateWindowMs)}`
    return { rule, text: `not judged yet: ${least}`, share: null }
  }
  const over = `over ${calls} ${snapshot.windowCalls === 1 ? 'call' : 'calls'}`
  return {
    rule,
    text: `${formatRate(now)} of ${formatRate(limit)} ${over}`,
    share: Math.min(1, now / limit),
  }
}

/** No snapshot tells how many domains have seen failures, so that only what is needed is said. */
const quorum = ({ settings: { breaker } }: Judged): RuleDistance[] =>
  breaker.quorum > 1
    ? [{ rule: 'quorum', text: `${breaker.quorum} failure domains must see it`, share: null }]
    : []
