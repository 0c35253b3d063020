import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'
import { BODIES } from '../../src/config/http.js'
import { HTTP_PROBLEMS } from '../../src/http/problem.js'
import { ROUTES, type Route } from '../../src/http/routes.js'
import {
  CIRCUIT_STATES,
  ERROR_CODES,
  EVENT_KINDS,
  GROUP_HEALTHS,
  HEALTH_STATUSES,
  MARKS,
  PROBE_KINDS,
  REFUSAL_CODES,
} from '../../src/index.js'
import { SETTING_FIELDS, type SettingField } from '../../src/model/setting-fields.js'
import { SNAPSHOT_FIELDS, type SnapshotType } from '../../src/model/snapshot.js'
import { SOURCES } from '../../src/model/words.js'

/**
 * openapi.json, made from the schemas that check requests, the tables that replies come from, and the table of routes. A test
 * writes it (`npx vitest run test/unit/openapi.test.ts -u`) and holds it to them, so that a process that serves it loads
 * no generator.
 */

type Json = Record<string, unknown>

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const list = (items: Json): Json => ({ type: 'array', items })
const text: Json = { type: 'string' }
const number: Json = { type: 'number' }
const orNull = (type: string): Json => ({ type: [type, 'null'] })
const words = (values: readonly string[]): Json => ({ type: 'string', enum: [...values] })
const wordsOrNull = (values: readonly string[]): Json => ({ enum: [...values, null] })

/** An object whose listed fields are all there; a later version may add some. */
const record = (properties: Json, optional: readonly string[] = []): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

const suspect = record({
  ...{ worker: text, domain: text, since: number, namedAt: number },
  ...{ failures: number, successes: number, against: text },
})

function snapshotField(type: SnapshotType): Json {
  switch (type) {
    case 'number':
      return number
    case 'maybe':
      return orNull('number')
    case 'text':
      return text
    case 'flag':
      return { type: 'boolean' }
    case 'state':
      return words(CIRCUIT_STATES)
    case 'mark':
      return wordsOrNull(MARKS)
    case 'cause':
      return words(['rule', 'hand', ''])
    case 'status':
      return wordsOrNull(HEALTH_STATUSES)
    case 'suspects':
      return list(suspect)
    default:
      return type satisfies never
  }
}

const numeric = (type: 'integer' | 'number', { nullable }: { readonly nullable?: true }) =>
  nullable === true ? [type, 'null'] : type

function setting(field: SettingField): Json {
  const description = field.meaning
  switch (field.type) {
    case 'whole':
      return { type: numeric('integer', field), minimum: field.min, maximum: field.max, description }
    case 'number':
      return { type: numeric('number', field), minimum: field.min, maximum: field.max, description }
    case 'flag':
      return { type: 'boolean', description }
    case 'word':
      return { ...words(field.words), description }
    case 'name':
      return { ...text, description }
    default:
      return field satisfies never
  }
}

const group = (fields: Readonly<Record<string, SettingField>>): Json =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, setting(field)]))

/** Those without a default are absent while they are off. */
const optionalIn = (fields: Readonly<Record<string, SettingField>>): string[] =>
  Object.entries(fields).flatMap(([name, field]) => ('default' in field ? [] : [name]))

const settings = record(
  {
    breaker: record(group(SETTING_FIELDS.breaker), optionalIn(SETTING_FIELDS.breaker)),
    history: record(group(SETTING_FIELDS.history)),
    ...group(SETTING_FIELDS.top),
    probe: record({ kind: words(PROBE_KINDS), intervalMs: number, timeoutMs: number }),
  },
  [...Object.keys(SETTING_FIELDS.top), 'probe'],
)

const block = record({ code: words(REFUSAL_CODES), reason: text, retryAfterMs: orNull('number') })

const provider = record({
  ...Object.fromEntries(
    Object.entries(SNAPSHOT_FIELDS).map(([name, { type }]) => [name, snapshotField(type)]),
  ),
  ...{ health: words(HEALTH_STATUSES), successRate: { type: 'number', minimum: 0, maximum: 1 } },
  ...{ throttled: { type: 'boolean' }, probeIntervalMs: orNull('number'), stale: { type: 'boolean' } },
  ...{ blockedBy: list(block), source: words(SOURCES), unknown: { type: 'boolean' }, why: text },
  settings: ref('Settings'),
  settingsOrigin: ref('SettingsOrigin'),
  settingsProblems: list(text),
})

const event = record({
  ...{
    kind: { type: 'string', examples: [...EVENT_KINDS] },
    providerId: text,
    from: text,
    to: text,
    reason: text,
  },
  ...{ generation: number, version: number, worker: text, actor: text, at: number },
})

const outage = record({
  from: number,
  to: number,
  reason: text,
  trials: number,
  doomed: number,
  by: words(['rule', 'hand']),
})
const queue = record({ queue: text, paused: { type: 'boolean' }, waiting: number, active: number })

const count = { calls: number, failures: number }
const sums = {
  ...{ id: text, ...count, met: number, failing: number },
  verdict: words(['bad', 'failing', 'ok']),
}

const SCHEMAS: Json = {
  Settings: settings,
  SettingsOrigin: record({ setBy: text, setAt: number, pinned: { type: 'boolean' } }),
  Provider: provider,
  ProviderDetail: {
    allOf: [
      ref('Provider'),
      record({
        pausedProbeQueues: list(text),
        explanation: record({ headline: text, sentences: list(record({ topic: text, text })) }),
        outages: list(outage),
      }),
    ],
  },
  Providers: record({
    namespace: text,
    readAt: { ...number, description: 'ms since 1970 on the clock of the process that answers' },
    counts: record({
      total: number,
      health: record(Object.fromEntries(HEALTH_STATUSES.map((one) => [one, number]))),
      circuit: record(Object.fromEntries(CIRCUIT_STATES.map((one) => [one, number]))),
      unknown: number,
      unreadable: number,
    }),
    unreadable: list(record({ id: text, why: text })),
    pausedProbeQueues: list(text),
    providers: list(ref('Provider')),
  }),
  History: record({
    ...{ id: text, successRate: number, historyTotal: number, historyHealthy: number },
    ...{ windowMs: number, windowCoveredMs: number },
    history: list(record({ at: number, status: text, count: number })),
  }),
  Event: event,
  Events: record({ id: text, events: list(ref('Event')) }),
  Groups: record({
    groups: list(
      record({ name: text, health: words(GROUP_HEALTHS), members: list(text), admissible: list(text) }),
    ),
  }),
  Matrix: record({
    readAt: { ...number, description: 'ms since 1970 on the clock of the process that answers' },
    nextInMs: { ...number, description: 'asking sooner brings nothing new' },
    sentences: list(text),
    countedForMs: { ...number, maximum: 60_000 },
    workers: list(record({ ...sums, elsewhere: record({ met: number, failing: number }) })),
    providers: list(
      record({
        ...{ ...sums, state: words(CIRCUIT_STATES) },
        others: { ...record(count), type: ['object', 'null'] },
      }),
    ),
    cells: list(
      record({
        ...{ worker: text, provider: text, ...count, inARow: number, failing: { type: 'boolean' } },
        ...{ suspect: { type: 'boolean' }, lastAgoMs: orNull('number') },
      }),
    ),
    omitted: record({ workers: number, providers: number, cells: number }),
    unreadable: list(record({ id: text, why: text })),
  }),
  Workers: record({ workers: list(record({ id: text, lastSeenAgoMs: number, domain: orNull('string') })) }),
  Schedules: record({
    providers: list(
      record({
        ...{
          id: text,
          intervalMs: orNull('number'),
          planned: { type: 'boolean' },
          nextInMs: orNull('number'),
        },
        ...{ lateMs: orNull('number'), why: orNull('string'), queue: orNull('string') },
        ...{
          held: wordsOrNull(['paused', 'no_worker']),
          overdue: { type: 'boolean' },
          last: { type: ['object', 'null'] },
        },
      }),
    ),
    queues: list(queue),
  }),
  Config: record({
    ...{
      title: text,
      environment: text,
      readOnly: { type: 'boolean' },
      namespace: text,
      version: text,
      actor: text,
    },
    actions: list(words(Object.keys(BODIES))),
    defaults: { type: 'object' },
    providers: {
      type: 'object',
      additionalProperties: record({ settings: ref('Settings'), settingsOrigin: ref('SettingsOrigin') }),
    },
  }),
  ProbeReport: record(
    {
      ...{
        id: text,
        probed: { type: 'boolean' },
        status: words(HEALTH_STATUSES),
        detail: text,
        elapsedMs: number,
      },
      ...{
        trial: { type: 'boolean' },
        worker: text,
        code: text,
        reason: text,
        retryAfterMs: orNull('number'),
      },
    },
    ['status', 'detail', 'elapsedMs', 'trial', 'worker', 'code', 'reason', 'retryAfterMs'],
  ),
  Problem: record({
    ...{ type: text, title: text, status: number, detail: text },
    code: words([...Object.keys(HTTP_PROBLEMS), ...Object.keys(ERROR_CODES)]),
  }),
  Health: record({ status: words(['pass', 'warn', 'fail']), description: text, checks: { type: 'object' } }),
}

/** The schema of the reply of each route that answers JSON. */
const REPLIES: Partial<Record<keyof typeof ROUTES, string>> = {
  ...{
    providers: 'Providers',
    provider: 'ProviderDetail',
    history: 'History',
    events: 'Events',
    groups: 'Groups',
  },
  ...{ workers: 'Workers', matrix: 'Matrix', schedules: 'Schedules', config: 'Config', health: 'Health' },
  ...{ trip: 'Provider', reset: 'Provider', mark: 'Provider', resume: 'Provider', probe: 'ProbeReport' },
}
const OTHER_TYPES: Partial<Record<keyof typeof ROUTES, string>> = {
  ...{ stream: 'text/event-stream', livez: 'text/plain', readyz: 'text/plain', metrics: 'text/plain' },
}
/** Not of the API. */
const LEFT_OUT: readonly string[] = ['page', 'script', 'style', 'icon', 'openapi', 'document']

/** The schema of what a client may send: before defaults and conversions. */
function bodySchema(schema: GenericSchema): Json {
  // Objects are checked in two steps: that it is one, and its fields.
  const steps = 'pipe' in schema && Array.isArray(schema.pipe) ? (schema.pipe as unknown[]) : []
  const fields = steps.find((step) => typeof step === 'object' && step !== null && 'entries' in step)
  const made: Json = {
    ...toJsonSchema((fields ?? schema) as GenericSchema, { typeMode: 'input', errorMode: 'ignore' }),
  }
  delete made['$schema']
  return made
}

function operation(name: string, route: Route): Json {
  const reply = REPLIES[name as keyof typeof ROUTES]
  const type =
    name === 'health'
      ? 'application/health+json'
      : (OTHER_TYPES[name as keyof typeof ROUTES] ?? 'application/json')
  const body = BODIES[name as keyof typeof BODIES] as GenericSchema | undefined
  const parameters = [
    ...(route.path.includes(':id') ? [{ name: 'id', in: 'path', required: true, schema: text }] : []),
    ...(name === 'history' || name === 'events'
      ? [
          {
            name: 'count',
            in: 'query',
            schema: { type: 'integer', minimum: 0, maximum: 10_000, default: 100 },
          },
        ]
      : []),
  ]
  return {
    operationId: name,
    summary: route.summary,
    ...(route.open === true ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: bodySchema(body) } } } }),
    responses: {
      200: { description: 'done', content: { [type]: { schema: reply === undefined ? text : ref(reply) } } },
      default: {
        description: 'a problem',
        content: { 'application/problem+json': { schema: ref('Problem') } },
      },
    },
  }
}

export function openApi(): Json {
  const paths: Record<string, Json> = {}
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    if (LEFT_OUT.includes(name)) continue
    const path = route.path.replace(':id', '{id}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Busbar', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '..', description: 'where the handler is mounted, seen from api/openapi.json' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'as authorize wants it; busbar ui takes BUSBAR_TOKEN',
        },
      },
      schemas: SCHEMAS,
    },
  }
}
