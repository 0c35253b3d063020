/** `busbar/prometheus`: the metrics of a process and of its fleet, in a registry of prom-client. */
import { Gauge, type Registry } from 'prom-client'
import type { Busbar } from '../client/busbar.js'
import { METRIC_NAMES, METRICS, type MetricDefinition, type MetricName } from './metric-table.js'
import { metricsSource } from './metrics-source.js'
import { checkRegisterOptions, type RegisterOptions } from './register-options.js'
import type { Labels } from './samples.js'
import { Scrape } from './scrape.js'

export { METRIC_NAMES, METRICS, type MetricDefinition, type MetricName } from './metric-table.js'
export type { RegisterOptions } from './register-options.js'

/** What `register` gives back. */
export interface Registered {
  /** The registry that the metrics are in. */
  readonly registry: Registry
  /** Takes them out of it, and counts no more. */
  readonly unregister: () => void
}

/**
 * Puts every metric of `docs/metrics.md` into a registry, and counts from now on. Values are read when the registry is asked,
 * so a series goes with its provider. A second busbar of a process needs a registry of its own.
 * @throws ArgumentError naming an option, a label or a metric that the registry has already
 */
export function register(busbar: Busbar, options: RegisterOptions = {}): Registered {
  const { registry, labels, ...limits } = checkRegisterOptions(options)
  const source = metricsSource(busbar)
  const scrape = new Scrape(source, limits)
  for (const name of METRIC_NAMES) registry.registerMetric(new LiveMetric(name, scrape, labels))
  return {
    registry,
    unregister: () => {
      for (const name of METRIC_NAMES) registry.removeSingleMetric(name)
      source.stop()
    },
  }
}

/** The text of a registry and its content type, as `/metrics` answers it. */
export async function metricsText(
  registry: Registry,
): Promise<{ readonly contentType: string; readonly text: string }> {
  return { contentType: registry.contentType, text: await registry.metrics() }
}

/**
 * One metric whose values are those of the moment at which it is asked. It is a gauge to prom-client only so that a registry
 * takes it: the type that it answers is that of the table.
 */
class LiveMetric extends Gauge {
  readonly #metric: MetricName
  readonly #scrape: Scrape
  readonly #labels: Labels

  constructor(metric: MetricName, scrape: Scrape, labels: Labels) {
    const { help, labels: labelNames }: MetricDefinition = METRICS[metric]
    super({ name: metric, help, labelNames: [...labelNames], registers: [] })
    this.#metric = metric
    this.#scrape = scrape
    this.#labels = labels
    // In the format of OpenMetrics the registry takes the ending off the names of counters, and looks at this for it.
    Object.assign(this, { type: METRICS[metric].type })
  }

  override async get(): ReturnType<Gauge['get']> {
    const samples = await this.#scrape.samples()
    const values = samples
      .of(this.#metric)
      .map((sample) => ({ ...sample, labels: { ...sample.labels, ...this.#labels } }))
    const { help, type }: MetricDefinition = METRICS[this.#metric]
    // The registry reads the name, which it may have changed, off the metric. Its declarations call the type a number.
    const name: unknown = Reflect.get(this, 'name')
    return { name, help, type, values, aggregator: 'sum' } as unknown as Awaited<ReturnType<Gauge['get']>>
  }
}
