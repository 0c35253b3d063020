import type { ProviderView } from '../../view/provider-view.js'
import { rulesDistance } from '../../view/rules-distance.js'

/** How far the provider is from each rule that opens its circuit. */
export function Rules({ view }: { view: ProviderView }) {
  const rules = rulesDistance(view)
  if (rules.length === 0) {
    const why =
      view.snapshot.state === 'closed'
        ? 'No rule opens it: neither a number of failures nor a rate is set.'
        : `Its circuit is ${view.snapshot.state}: trials decide now, and no rule.`
    return <p class="dim rules">{why}</p>
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
