import * as v from 'valibot'
import { MARKS } from '../model/words.js'
import { refuse } from './check.js'
import { bool, DAY, matching, oneOf, text, whole } from './fields.js'
import { scrapeFields } from './metrics.js'
import { listOf, object } from './objects.js'

/** Schemas of `busbar/http`: its options, what `authorize` answers, and the bodies and queries of requests. */

/** What an operator may do over HTTP. */
export const ACTIONS = ['trip', 'reset', 'mark', 'resume', 'probe'] as const
export type Action = (typeof ACTIONS)[number]

type Callback = (...args: never[]) => unknown

const isFunction = (value: unknown): value is Callback => typeof value === 'function'

const AUTHORIZE = 'expected a function (request) => { actor, can } or null, or "anyone" on purpose'
const authorize = v.custom<'anyone' | Callback>((value) => value === 'anyone' || isFunction(value), AUTHORIZE)
const visible = v.custom<Callback>(isFunction, 'expected a function (id, who) => boolean')

/** A source of CSP, such as `https://portal.example` or `'self'`: nothing that could end the directive. */
const SOURCE_ERROR = "expected 1 to 16 sources such as https://portal.example or 'self'"
const frameAncestors = listOf(matching(/^[A-Za-z0-9.:/*'_-]{1,200}$/, SOURCE_ERROR), 16, SOURCE_ERROR)

/** The part of prom-client's registry that `busbar/http` uses: a program may have another copy than Busbar. */
export interface MetricsRegistry {
  readonly contentType: string
  metrics(): Promise<string>
}

const isRegistry = (value: unknown): value is MetricsRegistry =>
  typeof value === 'object' &&
  value !== null &&
  isFunction(Reflect.get(value, 'metrics')) &&
  typeof Reflect.get(value, 'contentType') === 'string'

const METRICS_ERROR =
  'expected false, a Registry of prom-client, or { fleet, maxProviders, maxHistogramProviders }'
const metrics = v.union(
  [v.literal(false), v.custom<MetricsRegistry>(isRegistry), object(scrapeFields)],
  METRICS_ERROR,
)

export const handlerSchema = v.pipe(
  object({
    authorize,
    readOnly: v.optional(bool(), false),
    visible: v.optional(visible),
    title: v.optional(text(80), 'Busbar'),
    environment: v.optional(text(40), ''),
    frameAncestors: v.optional(frameAncestors),
    metrics: v.optional(metrics),
  }),
  refuse(({ visible: hides, metrics: shown }) =>
    hides === undefined || shown === undefined || shown === false
      ? undefined
      : { message: 'metrics and visible: metrics name every provider, to every viewer', complete: true },
  ),
)

const CAN = `expected "read", "operate", or a list of ${ACTIONS.join(', ')}`

/** The answer of `authorize`. More fields than these are the program's own, and reach `visible`. */
export const viewerSchema = v.looseObject(
  {
    actor: v.pipe(text(128), v.minLength(1, 'expected text of 1 to 128 characters')),
    can: v.union([v.picklist(['read', 'operate'], CAN), v.array(v.picklist(ACTIONS, CAN), CAN)], CAN),
  },
  'expected { actor, can } or null',
)

const REASON = 'expected a reason: text of 1 to 500 characters'
/** As `text`, in an order in which its bounds come before the conversion, and so into openapi.json. */
const reason = v.pipe(
  v.string(REASON),
  v.minLength(1, REASON),
  v.maxLength(500, REASON),
  v.transform((value) => value.toWellFormed()),
  refuse((value: string) => (value.trim() === '' ? { message: REASON } : undefined)),
)
const HOUR = 3_600_000
/** Null: until somebody releases it, which has to be said on purpose. */
const forMs = v.optional(v.nullable(whole(1, 3_650 * DAY)), HOUR)

export const BODIES = {
  trip: object({ reason, forMs }),
  reset: object({ reason }),
  mark: object({ mark: oneOf(MARKS), reason, forMs }),
  resume: object({ reason }),
  probe: object({ reason, timeoutMs: v.optional(whole(1, DAY)) }),
} satisfies Record<Action, v.GenericSchema>

export const countQuerySchema = whole(0, 10_000)
