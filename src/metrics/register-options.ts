import { Registry } from 'prom-client'
import { checkArgument } from '../config/check.js'
import { registerSchema } from '../config/metrics.js'
import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import { METRIC_NAMES, METRICS } from './metric-table.js'

export interface RegisterOptions {
  /** Of prom-client. Default: a new one, which `register` gives back. */
  readonly registry?: Registry | undefined
  /** Providers with series of their own; the rest is `_other`. 1 to 100 000, default 1 000. */
  readonly maxProviders?: number | undefined
  /** The same for histograms, which have 19 series for each result. 0 to 100 000, default 200. */
  readonly maxHistogramProviders?: number | undefined
  /** Whether the whole fleet is read from Redis, at most once per 5 s; else only what this process follows. Default false. */
  readonly fleet?: boolean | undefined
  /** Labels for every series, such as `{ fleet: 'eu' }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** @throws ArgumentError */
export function checkRegisterOptions(options: RegisterOptions) {
  const checked = checkArgument(registerSchema, options, 'register')
  const { registry = new Registry() } = options
  checkRegistry(registry)
  for (const label of Object.keys(checked.labels)) checkLabel(label)
  return { ...checked, registry }
}

function checkRegistry(registry: Registry): void {
  // By its methods: a program may have another copy of prom-client than Busbar.
  const methods = ['registerMetric', 'getSingleMetric', 'removeSingleMetric', 'metrics']
  const fits = (method: string) => typeof Reflect.get(Object(registry), method) === 'function'
  if (!methods.every(fits)) {
    throw new ArgumentError(
      'register.registry',
      `register.registry: expected a Registry of prom-client, got ${show(registry)}`,
    )
  }
  const taken = METRIC_NAMES.find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined) {
    throw new ArgumentError('register.registry', `register.registry: it has a metric ${taken} already`)
  }
}

function checkLabel(label: string): void {
  const path = `register.labels.${label}`
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith('__'))
    throw new ArgumentError(path, `${path}: no name of a label of Prometheus`)
  if (OWN_LABELS.has(label)) throw new ArgumentError(path, `${path}: a label that metrics of Busbar have`)
}

const OWN_LABELS: ReadonlySet<string> = new Set([
  'le',
  ...Object.values(METRICS).flatMap(({ labels }): readonly string[] => labels),
])
