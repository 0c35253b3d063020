import * as v from 'valibot'
import { ALERT_KINDS, HOOK_KINDS, type AlertKind } from '../model/alerts.js'
import { checkArgument, refuse } from './check.js'
import { DEFAULTS } from './defaults.js'
import { matching, name, whole } from './fields.js'
import { anyObject, fieldsOf, listOf, mapOf, object } from './objects.js'
import { BROKEN_REFERENCE, hasBrokenReference, referencesIn } from './references.js'

/** Schemas of the hooks of alerts. No message shows a URL or a secret. */

const URL_ERROR = 'expected an absolute http: or https: URL, or ${env:NAME}'
const SECRET_ERROR = 'expected a secret of 8 to 1024 characters, or ${env:NAME}'

/** Whether messages can be sent there. */
export function isHookUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.port !== '0'
}

export const isHookSecret = (value: string): boolean => value.length >= 8 && value.length <= 1_024

/** Text whose value, where no reference stands in it, `holds`. It is not shown. */
const hidden = (error: string, holds: (value: string) => boolean) =>
  v.pipe(
    v.unknown(),
    refuse((value) => {
      if (typeof value !== 'string' || value.length > 2_048) return { message: error, complete: true }
      if (hasBrokenReference(value)) return { message: BROKEN_REFERENCE, complete: true }
      const known = referencesIn(value).length === 0
      return !known || holds(value) ? undefined : { message: error, complete: true }
    }),
    v.transform(String),
  )

const KIND_ERROR = `expected one of ${ALERT_KINDS.join(', ')}`
const kinds = listOf(
  v.custom<AlertKind>((value) => ALERT_KINDS.some((kind) => kind === value), KIND_ERROR),
  ALERT_KINDS.length,
  'expected a list of kinds of events',
)
const PATTERN_ERROR = 'expected an id, or a pattern with *'
const patterns = listOf(
  matching(/^[A-Za-z0-9._:/@*-]{1,128}$/, PATTERN_ERROR),
  100,
  'expected a list of 1 to 100 ids or patterns',
)
const groups = listOf(name(), 100, 'expected a list of 1 to 100 groups')

const common = {
  url: hidden(URL_ERROR, isHookUrl),
  on: v.optional(kinds, [...DEFAULTS.alerts.on]),
  providers: v.optional(patterns),
  groups: v.optional(groups),
}

const webhook = fieldsOf({
  ...common,
  kind: v.literal('webhook'),
  secret: v.optional(hidden(SECRET_ERROR, isHookSecret)),
})
const slack = fieldsOf({ ...common, kind: v.literal('slack') })

const hook = v.pipe(
  anyObject('expected an object with kind'),
  v.variant('kind', [webhook, slack], `expected one of ${HOOK_KINDS.join(', ')}`),
)

const HOOK_NAME = 'expected 1 to 64 letters, digits, _ and -'
const MAX_HOOKS = 16
const hooks = v.pipe(
  mapOf(matching(/^[A-Za-z0-9_-]{1,64}$/, HOOK_NAME), hook, 'expected an object of name -> hook'),
  refuse((map) =>
    map.size >= 1 && map.size <= MAX_HOOKS
      ? undefined
      : { message: `expected 1 to ${MAX_HOOKS} hooks, got ${map.size}`, complete: true },
  ),
)

const alertsSchema = object({
  hooks,
  groupMs: v.optional(whole(100, 600_000), DEFAULTS.alerts.groupMs),
  retryMs: v.optional(whole(10, 600_000), DEFAULTS.alerts.retryMs),
})

export type CheckedHook = v.InferOutput<typeof hook>
export type CheckedAlertOptions = v.InferOutput<typeof alertsSchema>

/** A value that holds a URL or a secret, in whole or in part, is not shown; nor is one of the wrong kind. */
const SHOWN: ReadonlySet<PropertyKey> = new Set(['kind', 'on', 'providers', 'groups', 'groupMs', 'retryMs'])

/** @throws ArgumentError naming the path, never a URL or a secret */
export const checkAlerts = (given: unknown): CheckedAlertOptions =>
  checkArgument(alertsSchema, given, 'alerts', (path) => path.some((key) => SHOWN.has(key)))
