import { useMemo } from 'preact/hooks'
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

/** The cells of one provider. Every second it is asked what they say; those that say the same are left as they are. */
export function Row({ view, now }: { view: ProviderView; now: number }) {
  const { snapshot, settings } = view
  const { id, health, state, mark, suspects, throttled, enforce, stale } = snapshot
  const said = why(view) || distanceText(view)
  const retry = retryText(view)
  const probed = snapshot.lastProbeAt === null ? '' : agoText(snapshot.at - snapshot.lastProbeAt)
  const tags = [mark, suspects.length, throttled, enforce, settings.group].join()
  const who = useMemo(() => <Who view={view} said={said} />, [id, said, tags])
  const circuit = useMemo(
    () => (
      <span role="cell" class="circuit">
        <Circuit state={state} />
        <Retry text={retry} />
      </span>
    ),
    [state, retry],
  )
  const success = useMemo(() => <Success view={view} />, [snapshot.historyTotal, snapshot.successRate])
  const probe = useMemo(
    () => <Probe view={view} />,
    [snapshot.lastProbeStatus, probed, stale, settings.probe],
  )
  return (
    <>
      <span role="cell" class="health">
        <Health word={health} />
      </span>
      {who}
      {circuit}
      {success}
      <span role="cell" class="outcomes">
        <Spark view={view} now={now} />
      </span>
      {probe}
    </>
  )
}

const Who = ({ view, said }: { view: ProviderView; said: string }) => (
  <span role="rowheader" class="who">
    <span class="name">
      <a class="id" href={providerHash(view.snapshot.id)}>
        <Line text={view.snapshot.id} />
      </a>
      <Tags view={view} />
    </span>
    <span class="why-line">
      <Line text={said} />
    </span>
  </span>
)

/** Unusual states of it, a word each. */
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
export function Retry({ text }: { text: string }) {
  if (text === '-') return null
  return <span class="dim number">{/\d/.test(text) ? `retry in ${text}` : text}</span>
}

const Success = ({ view: { snapshot } }: { view: ProviderView }) => (
  <span role="cell" class="success">
    {snapshot.historyTotal === 0 ? (
      <span class="dim">no records</span>
    ) : (
      <>
        <span class="number">{formatRate(snapshot.successRate)}</span>
        <span class="dim number">n {formatCount(snapshot.historyTotal)}</span>
      </>
    )}
  </span>
)

const Probe = ({ view }: { view: ProviderView }) => (
  <span role="cell" class="probe">
    <LastProbe view={view} />
  </span>
)

function LastProbe({ view: { snapshot, settings } }: { view: ProviderView }) {
  const { lastProbeAt, lastProbeStatus, at, stale } = snapshot
  if (settings.probe === undefined) return <span class="dim">no probe</span>
  if (lastProbeAt === null || lastProbeStatus === null)
    return <span class={stale ? 'warn' : 'dim'}>{stale ? 'overdue' : 'none yet'}</span>
  return (
    <>
      <Health word={lastProbeStatus} />
      <span class={stale ? 'warn number' : 'dim number'}>
        {stale ? 'overdue, ' : null}
        {agoText(at - lastProbeAt)}
      </span>
    </>
  )
}
