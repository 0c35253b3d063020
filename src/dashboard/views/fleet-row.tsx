import { formatCount, formatRate } from '../../view/format.js'
import { why, type ProviderView } from '../../view/provider-view.js'
import { distanceText } from '../../view/rules-distance.js'
import { retryText } from '../../view/status-table.js'
import { Spark } from '../chart/spark.js'
import { Circuit, Health } from '../parts/shapes.js'
import { Line } from '../parts/said.js'
import { agoText } from '../parts/ago.js'
import { providerHash } from '../store/route.js'

export const HEADS = ['Health', 'Provider', 'Circuit', 'Success', 'Outcomes', 'Last probe'] as const

/** The cells of one provider. */
export function Row({ view, now }: { view: ProviderView; now: number }) {
  const { snapshot } = view
  return (
    <>
      <span role="cell" class="health">
        <Health word={snapshot.health} />
      </span>
      <span role="rowheader" class="who">
        <span class="name">
          <a class="id" href={providerHash(snapshot.id)}>
            <Line text={snapshot.id} />
          </a>
          <Tags view={view} />
        </span>
        <span class="why-line">
          <Line text={why(view) || distanceText(view)} />
        </span>
      </span>
      <span role="cell" class="circuit">
        <Circuit state={snapshot.state} />
        <Retry view={view} />
      </span>
      <span role="cell" class="success">
        <Success view={view} />
      </span>
      <span role="cell" class="outcomes">
        <Spark view={view} now={now} />
      </span>
      <span role="cell" class="probe">
        <Probe view={view} />
      </span>
    </>
  )
}

/** What is unusual about it, in a word each. */
export function Tags({ view: { snapshot, settings } }: { view: ProviderView }) {
  const { mark, suspects, enforce, throttled } = snapshot
  return (
    <>
      {mark === null ? null : <span class="tag mark">marked {mark}</span>}
      {suspects.length === 0 ? null : (
        <span class="tag warn">{suspects.length === 1 ? '1 suspect' : `${suspects.length} suspects`}</span>
      )}
      {throttled ? <span class="tag warn">throttled</span> : null}
      {enforce ? null : <span class="tag plain">not enforced</span>}
      {settings.group === undefined ? null : (
        <span class="tag group">
          <Line text={settings.group} />
        </span>
      )}
    </>
  )
}

/** When calling again can help. */
export function Retry({ view }: { view: ProviderView }) {
  const text = retryText(view)
  if (text === '-') return null
  return <span class="dim number">{/\d/.test(text) ? `retry in ${text}` : text}</span>
}

function Success({ view: { snapshot } }: { view: ProviderView }) {
  if (snapshot.historyTotal === 0) return <span class="dim">no records</span>
  return (
    <>
      <span class="number">{formatRate(snapshot.successRate)}</span>
      <span class="dim number">n {formatCount(snapshot.historyTotal)}</span>
    </>
  )
}

function Probe({ view: { snapshot, settings } }: { view: ProviderView }) {
  const { lastProbeAt, lastProbeStatus, at, stale } = snapshot
  if (settings.probe === undefined) return <span class="dim">no probe</span>
  if (lastProbeAt === null || lastProbeStatus === null)
    return <span class={stale ? 'warn' : 'dim'}>{stale ? 'overdue' : 'none yet'}</span>
  return (
    <>
      <Health word={lastProbeStatus} />
      <span class={stale ? 'warn number' : 'dim number'}>
        {stale ? 'overdue, ' : ''}
        {agoText(at - lastProbeAt)}
      </span>
    </>
  )
}
