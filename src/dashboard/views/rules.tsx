import { formatCount } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { rulesDistance } from '../../view/rules-distance.js'

/** How far the provider is from each rule that opens its circuit; while it is not closed, how far from closing. */
export function Rules({ view }: { view: ProviderView }) {
  const rules = rulesDistance(view)
  if (rules.length === 0) {
    return <p class="dim rules">{noRule(view)}</p>
  }
  return (
    <ul class="plain rules">
      {rules.map(({ rule, text, share }) => (
        <li key={rule}>
          <span class="rule">{rule}</span>
          <span class="number">{text}</span>
          {share === null ? (
            <span class="meter none" />
          ) : (
            <span
              class={`meter ${share >= 0.5 ? 'warn' : ''}`}
              role="meter"
              aria-label={rule}
              aria-valuemin={0}
              aria-valuemax={1}
              aria-valuenow={Math.round(share * 100) / 100}
              aria-valuetext={text}
            >
              <span style={{ width: `${share * 100}%` }} />
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

function noRule({ snapshot, settings }: ProviderView): string {
  const { state, retryAfterMs, consecutiveSuccesses } = snapshot
  const { successThreshold } = settings.breaker
  if (state === 'closed') return 'No rule opens it: neither a number of failures nor a rate is set.'
  if (state === 'open' && retryAfterMs === null) return 'A reset by hand, and nothing else.'
  const succeeded = state === 'half_open' ? Math.min(consecutiveSuccesses, successThreshold) : 0
  return `Trials decide now, and no rule: ${formatCount(succeeded)} of ${formatCount(successThreshold)} have succeeded.`
}
