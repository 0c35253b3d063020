import { LabelLimit } from './label-limit.js'
import type { MetricsSource } from './metrics-source.js'
import type { ProviderReading } from './provider-reading.js'
import { addCounted, addProcess } from './process-samples.js'
import { RestSums, Samples, type Limits } from './samples.js'
import { addGroups, addProvider } from './store-samples.js'

export interface ScrapeOptions {
  readonly maxProviders: number
  readonly maxHistogramProviders: number
  readonly fleet: boolean
}

/** Reads a source into samples: once for all metrics that are asked for together. */
export class Scrape {
  readonly #source: MetricsSource
  readonly #fleet: boolean
  readonly #limits: Limits
  readonly #sums = new RestSums()
  #current: Promise<Samples> | undefined

  constructor(source: MetricsSource, { maxProviders, maxHistogramProviders, fleet }: ScrapeOptions) {
    this.#source = source
    this.#fleet = fleet
    this.#limits = {
      providers: new LabelLimit(maxProviders),
      histograms: new LabelLimit(Math.min(maxProviders, maxHistogramProviders)),
    }
  }

  samples(): Promise<Samples> {
    return (this.#current ??= this.#collect().finally(() => (this.#current = undefined)))
  }

  async #collect(): Promise<Samples> {
    const readings = new Map<string, ProviderReading>()
    for (const reading of this.#source.held()) readings.set(reading.id, reading)
    // What was read last is the newer of the two, or has at least the counts that are not announced.
    if (this.#fleet)
      for (const reading of await this.#source.fleet()) {
        const held = readings.get(reading.id)
        if (held === undefined || held.snapshot.version <= reading.snapshot.version)
          readings.set(reading.id, reading)
      }
    const counted = this.#source.counted()
    const ids = new Set([...readings.keys(), ...counted.map(([id]) => id)])
    this.#limits.providers.update(ids)
    this.#limits.histograms.update(ids)
    this.#sums.forget(ids)
    const samples = new Samples(this.#limits, this.#sums, ids)
    for (const reading of readings.values()) addProvider(samples, reading)
    addGroups(samples, readings.values())
    for (const [id, meter] of counted) addCounted(samples, id, meter)
    addProcess(samples, this.#source)
    return samples
  }
}
