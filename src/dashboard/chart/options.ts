import uPlot from 'uplot'
import type { ProviderEvent } from '../../model/events.js'
import { formatClock, formatCount } from '../../view/format.js'
import type { Bucket, Span } from './buckets.js'
import type { CircuitSpan } from './circuit-spans.js'
import { toneOf } from './event-tone.js'

/** The data of the chart; read again at every drawing. */
export interface Drawn {
  readonly buckets: readonly Bucket[]
  readonly circuit: readonly CircuitSpan[]
  readonly events: readonly ProviderEvent[]
  readonly span: Span
}

export const HEIGHT = 180
const FONT = '11px system-ui, sans-serif'

/** Colours are those of the style sheet, light or dark, as they are at the moment of drawing. */
export function chartOptions(element: HTMLElement, drawn: () => Drawn): uPlot.Options {
  const colour = (name: string) => getComputedStyle(element).getPropertyValue(`--${name}`)
  const bars = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 })
  const series = (name: string): uPlot.Series => ({
    fill: () => colour(name),
    width: 0,
    points: { show: false },
    ...(bars === undefined ? {} : { paths: bars }),
  })
  const axis = { stroke: () => colour('dim'), font: FONT, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    ms: 1,
    padding: [14, 24, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: () => [drawn().span.from, drawn().span.to] },
      y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 90, values: (_plot, at) => at.map(formatClock) },
      {
        ...axis,
        size: 32,
        space: 40,
        grid: { stroke: () => colour('line'), width: 1 },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000],
        values: (_plot, at) => at.map((count) => formatCount(count)),
      },
    ],
    series: [{}, series('bar-healthy'), series('bar-degraded'), series('bar-failed')],
    hooks: {
      drawClear: [(plot) => drawCircuit(plot, drawn().circuit, colour)],
      draw: [(plot) => drawEvents(plot, drawn(), colour)],
    },
  }
}

type Colour = (name: string) => string

/** Behind the bars: when the circuit was open or half-open. */
function drawCircuit(plot: uPlot, circuit: readonly CircuitSpan[], colour: Colour): void {
  const { ctx, bbox } = plot
  for (const { state, from, to } of circuit) {
    if (state === 'closed') continue
    const left = plot.valToPos(from, 'x', true)
    const right = plot.valToPos(to, 'x', true)
    ctx.fillStyle = colour(state === 'open' ? 'band-open' : 'band-half')
    ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height)
  }
}

/** A line with a head for each transition, mark and change of settings. */
function drawEvents(plot: uPlot, { events, span }: Drawn, colour: Colour): void {
  const { ctx, bbox } = plot
  const size = 5 * devicePixelRatio
  for (const { at, kind } of events) {
    if (at < span.from || at > span.to) continue
    const x = Math.round(plot.valToPos(at, 'x', true))
    const tone = toneOf(kind)
    ctx.fillStyle = colour(tone === 'none' ? 'dim' : tone)
    ctx.fillRect(x, bbox.top - size, devicePixelRatio, bbox.height + size)
    ctx.beginPath()
    ctx.moveTo(x - size, bbox.top - 2 * size)
    ctx.lineTo(x + size, bbox.top - 2 * size)
    ctx.lineTo(x, bbox.top - size / 2)
    ctx.fill()
  }
}
