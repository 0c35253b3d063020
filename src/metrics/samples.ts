import { DURATION_BOUNDS_MS, type DurationMeter } from '../client/shared/duration-meter.js'
import { OTHER, type LabelLimit } from './label-limit.js'
import { METRICS, type MetricDefinition, type MetricName } from './metric-table.js'

export type Labels = Readonly<Record<string, string | number>>

export interface Sample {
  readonly labels: Labels
  value: number
  /** Of a part of a histogram; default the metric's own. */
  readonly metricName?: string
}

/** In no id. */
const SEPARATOR = '\0'
const pairOf = (from: string, to: string): string => from + SEPARATOR + to

/** How many providers have series of their own. */
export interface Limits {
  readonly providers: LabelLimit
  readonly histograms: LabelLimit
}

/** Sums over providers that come and go, which never fall: what a provider had counted stays in its sum when it goes. */
export class RestSums {
  readonly #sums = new Map<string, number>()
  readonly #seen = new Map<string, Map<string, number>>()

  /** `value`: what provider `id` has counted. Returns the sum of all under this key. */
  add(key: string, id: string, value: number): number {
    const seen = this.#seen.get(id) ?? new Map<string, number>()
    this.#seen.set(id, seen)
    const before = seen.get(key) ?? 0
    seen.set(key, value)
    const sum = (this.#sums.get(key) ?? 0) + (value >= before ? value - before : value)
    this.#sums.set(key, sum)
    return sum
  }

  /** `id` may be of two providers; see `pairOf`. */
  forget(present: ReadonlySet<string>): void {
    for (const id of this.#seen.keys())
      if (!id.split(SEPARATOR).every((one) => one === OTHER || present.has(one))) this.#seen.delete(id)
  }
}

/** The samples of one scrape. */
export class Samples {
  readonly #limits: Limits
  readonly #sums: RestSums
  readonly #present: ReadonlySet<string>
  readonly #byMetric = new Map<MetricName, Map<string, Sample>>()

  /** `present`: ids of the providers that there are. */
  constructor(limits: Limits, sums: RestSums, present: ReadonlySet<string>) {
    this.#limits = limits
    this.#sums = sums
    this.#present = present
  }

  of(name: MetricName): Sample[] {
    return [...(this.#byMetric.get(name)?.values() ?? [])]
  }

  /** One value that is of no provider. */
  set(name: MetricName, labels: Labels, value: number): void {
    this.#put(name, { labels, value })
  }

  /** A value of one provider; `labels` without it. A metric without such a label is the sum over all. */
  ofProvider(name: MetricName, id: string, labels: Labels, value: number): void {
    this.#ofProvider({ name, id, value, limit: this.#limits.providers }, labels)
  }

  /** Calls of a group that went from one provider to another, as long as there are both. */
  failovers(group: string, from: string, to: string, count: number): void {
    if (to !== OTHER && !this.#present.has(to)) return
    const { providers } = this.#limits
    const labels = { group, from: providers.labelOf(from), to: providers.labelOf(to) }
    const isOwn = labels.from !== OTHER && labels.to !== OTHER
    const name = 'busbar_failovers_total'
    const key = keyOf({ labels, value: count, metricName: name })
    this.#put(name, { labels, value: isOwn ? count : this.#sums.add(key, pairOf(from, to), count) })
  }

  histogram(name: MetricName, labels: Labels, durations: DurationMeter): void {
    for (const part of partsOf(name, durations)) {
      const { metricName, value } = part
      this.#put(name, { labels: { ...labels, ...part.labels }, value, metricName })
    }
  }

  histogramOfProvider(name: MetricName, id: string, labels: Labels, durations: DurationMeter): void {
    const limit = this.#limits.histograms
    for (const part of partsOf(name, durations)) {
      const { metricName, value } = part
      this.#ofProvider({ name, id, value, limit, metricName }, { ...labels, ...part.labels })
    }
  }

  #ofProvider({ name, id, value, limit, metricName }: Given, labels: Labels): void {
    const { type, labels: names, rest = 'max' }: MetricDefinition = METRICS[name]
    const provider = names.includes('provider') ? limit.labelOf(id) : OTHER
    const all = names.includes('provider') ? { provider, ...labels } : labels
    const part = metricName === undefined ? {} : { metricName }
    if (provider !== OTHER) this.#put(name, { labels: all, value, ...part })
    else if (type !== 'gauge') {
      const sum = this.#sums.add(keyOf({ labels: all, value, metricName: metricName ?? name }), id, value)
      this.#put(name, { labels: all, value: sum, ...part })
    } else this.#combine(name, { labels: all, value }, rest)
  }

  #combine(name: MetricName, sample: Sample, rest: 'max' | 'min' | 'sum'): void {
    const known = this.#byMetric.get(name)?.get(keyOf(sample))
    if (known === undefined) this.#put(name, sample)
    else if (rest === 'sum') known.value += sample.value
    else known.value = Math[rest](known.value, sample.value)
  }

  #put(name: MetricName, sample: Sample): void {
    const samples = this.#byMetric.get(name) ?? new Map<string, Sample>()
    this.#byMetric.set(name, samples)
    samples.set(keyOf(sample), sample)
  }
}

interface Given {
  readonly name: MetricName
  readonly id: string
  readonly value: number
  readonly limit: LabelLimit
  readonly metricName?: string
}

const keyOf = ({ labels, metricName = '' }: Sample): string =>
  [metricName, ...Object.values(labels)].join(SEPARATOR)

interface Part {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

/** A histogram as its counters, in base units. */
function partsOf(name: string, { buckets, count, sumMs }: DurationMeter): Part[] {
  let upTo = 0
  const bounds = DURATION_BOUNDS_MS.map((boundMs, i) => {
    upTo += buckets[i] ?? 0
    return { metricName: `${name}_bucket`, labels: { le: boundMs / 1_000 }, value: upTo }
  })
  return [
    ...bounds,
    { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels: {}, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels: {}, value: count },
  ]
}
