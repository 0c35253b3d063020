import * as v from 'valibot'
import { bool, whole } from './fields.js'
import { object, recordOf } from './objects.js'

/** Whether the fleet is read, and how many series are made. */
export const scrapeFields = {
  maxProviders: v.optional(whole(1, 100_000), 1_000),
  maxHistogramProviders: v.optional(whole(0, 100_000), 200),
  fleet: v.optional(bool(), false),
}

/** Of `register` in `busbar/prometheus`, which checks the registry and the names of labels itself. */
export const registerSchema = object({
  registry: v.optional(v.unknown()),
  ...scrapeFields,
  labels: v.optional(
    recordOf(v.string(), v.string('expected text'), 'expected an object of names and texts'),
    {},
  ),
})

/** Of `register` in `busbar/otel`. */
export const otelSchema = object({
  meter: v.optional(
    v.custom<object>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        typeof Reflect.get(value, 'createCounter') === 'function',
      'expected a Meter of @opentelemetry/api',
    ),
  ),
})
