import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { ProviderEvent } from '../../model/events.js'
import type { HistoryEntry } from '../../model/snapshot.js'
import { formatCount, formatDuration } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { bucketsOf, totalOf, type Bucket, type Span } from './buckets.js'
import { circuitSpans } from './circuit-spans.js'
import { chartOptions, HEIGHT, type Drawn } from './options.js'

const COUNT = 60
const HOUR = 3_600_000

export interface ChartProps {
  readonly view: ProviderView
  readonly now: number
  /** Oldest first. */
  readonly history: readonly HistoryEntry[]
  readonly events: readonly ProviderEvent[]
}

/** The outcomes of a span of time, with what the circuit was and what happened to it. The events are a table below too. */
export function HistoryChart({ view, history, events }: ChartProps) {
  const { snapshot, settings } = view
  const { windowMs } = settings.history
  const spans = [windowMs, ...[HOUR, 24 * HOUR].filter((ms) => ms > windowMs)]
  const [chosen, setChosen] = useState(0)
  const spanMs = spans[chosen] ?? windowMs
  const width = spanMs / COUNT
  const to = Math.ceil(snapshot.at / width) * width
  const span = { from: to - spanMs, to }
  const buckets = bucketsOf(history, span, COUNT)
  const drawn = { span, buckets, events, circuit: circuitSpans(events, span, snapshot.state) }
  const all = sum(buckets)
  return (
    <figure class="history">
      <div class="choose" role="group" aria-label="Span">
        {spans.map((ms, at) => (
          <button type="button" key={ms} aria-pressed={at === chosen} onClick={() => setChosen(at)}>
            {formatDuration(ms)}
          </button>
        ))}
      </div>
      <Canvas drawn={drawn} label={`Outcomes of the last ${formatDuration(spanMs)}: ${all}`} />
      <figcaption>
        <span class="key healthy">healthy</span> <span class="key degraded">degraded</span>{' '}
        <span class="key failed">failed</span> <span class="key open">circuit open</span>{' '}
        <span class="key half">half_open</span> <span class="key moved">event</span>
      </figcaption>
    </figure>
  )
}

function sum(buckets: readonly Bucket[]): string {
  const of = (part: 'healthy' | 'degraded' | 'failed') =>
    formatCount(Math.round(buckets.reduce((all, bucket) => all + bucket[part], 0)))
  return `${of('healthy')} healthy, ${of('degraded')} degraded, ${of('failed')} failed`
}

/** Bars from the largest to the smallest, one over the other. */
const dataOf = (buckets: readonly Bucket[]): uPlot.AlignedData => [
  buckets.map(({ at }) => at),
  // Null where it would be hidden: nothing of it shines through at the edges.
  buckets.map((bucket) => (bucket.healthy === 0 ? null : totalOf(bucket))),
  buckets.map(({ degraded, failed }) => (degraded === 0 ? null : degraded + failed)),
  buckets.map(({ failed }) => failed),
]

function Canvas({ drawn, label }: { drawn: Drawn & { readonly span: Span }; label: string }) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(null)
  const latest = useRef(drawn)
  latest.current = drawn
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const made = new uPlot(
      chartOptions(element, () => latest.current),
      dataOf(latest.current.buckets),
      element,
    )
    chart.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => made.redraw(false, true)
    scheme.addEventListener('change', redraw)
    return () => {
      observer.disconnect()
      scheme.removeEventListener('change', redraw)
      made.destroy()
    }
  }, [])
  const content = JSON.stringify([drawn.buckets, drawn.circuit, drawn.events.length])
  useEffect(() => {
    chart.current?.setData(dataOf(latest.current.buckets))
  }, [content])
  return <div ref={place} class="canvas" role="img" aria-label={label} />
}
