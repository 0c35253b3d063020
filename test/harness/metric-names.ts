import { METRICS, type MetricDefinition } from '../../src/metrics/prometheus.js'

const DEFINITIONS = Object.entries<MetricDefinition>(METRICS)

/** Names of all series: a histogram has three. */
export const SERIES: ReadonlySet<string> = new Set(
  DEFINITIONS.flatMap(([name, { type }]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
)

/** Every metric that an expression of PromQL, or a text with such in it, names. */
export const metricsIn = (text: string): string[] => text.match(/\bbusbar_[a-z_]+\b/g) ?? []

/** The series of one metric in a text for Prometheus: its labels, and its value. */
export const seriesIn = (text: string, metric: string): Record<string, number> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, labels = '', value] = /^(?:\w+)(\{.*\})? (\S+)$/.exec(line) ?? []
      return line.startsWith(`${metric}{`) || line.startsWith(`${metric} `) ? [[labels, Number(value)]] : []
    }),
  )
