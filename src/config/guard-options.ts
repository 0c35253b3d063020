import { DEFAULTS } from './defaults.js'
import { bool, DAY, oneOf, whole } from './fields.js'
import { object } from './objects.js'
import * as v from 'valibot'

/** When `guard` defers a job instead of letting it fail. */
export const DEFER_ON = ['refusal', 'outage'] as const
export type DeferOn = (typeof DEFER_ON)[number]

const g = DEFAULTS.guard

/** Options of `guard` in `busbar/bullmq`. */
export const guardSchema = object({
  spreadMs: v.optional(whole(0, 60_000), g.spreadMs),
  maxDeferMs: v.optional(whole(0, 3_650 * DAY), g.maxDeferMs),
  deferOn: v.optional(oneOf(DEFER_ON), g.deferOn),
  outageWaitMs: v.optional(whole(0, 600_000), g.outageWaitMs),
  deferOnly: v.optional(bool(), g.deferOnly),
})

/** Checked, with defaults in place. */
export type GuardSettings = v.InferOutput<typeof guardSchema>
