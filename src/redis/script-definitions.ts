import { QUEUE_KEYS, SCHEDULE_KEYS, type HookKey, type ProviderKey, type ScheduleKey } from './keys.js'

/**
 * Every script as TypeScript knows it: the names, order and types of what goes in and what comes out. A test
 * reads the headers of `lua/*.lua` and holds both to each other; a misspelt name is a compile error.
 */
export type WireType = 'text' | 'integer' | 'digits' | 'number' | 'boolean' | 'json'

export type ScriptKey = ProviderKey | ScheduleKey | HookKey

export interface ScriptDefinition {
  readonly keys: readonly ScriptKey[]
  /** A key behind them that only some calls give: each key costs a call something. */
  readonly extraKey?: ScriptKey
  readonly args: Readonly<Record<string, WireType>>
  readonly returns: Readonly<Record<string, WireType>>
}

const KEYS = ['config', 'circuit', 'history', 'trials', 'events', 'window', 'domains'] as const

const CALLER = { id: 'text', channel: 'text', worker: 'text', knownVersion: 'digits' } as const
const CONTROL = { ...CALLER, actor: 'text', reason: 'text', notAfterMs: 'integer' } as const
const REPLY = {
  status: 'text',
  nowMs: 'integer',
  applied: 'integer',
  snapshot: 'json',
  events: 'json',
} as const
const CHANGED = { status: 'text', nowMs: 'integer', changed: 'boolean' } as const

/** Those that run on the keys of one provider. */
export const PROVIDER_SCRIPTS = {
  register: {
    keys: KEYS,
    args: {
      ...CALLER,
      mode: 'text',
      wanted: 'json',
      restore: 'json',
      operator: 'text',
      reason: 'text',
      notAfterMs: 'integer',
    },
    returns: {
      ...REPLY,
      settings: 'json',
      revision: 'integer',
      setBy: 'text',
      setAtMs: 'integer',
      pinned: 'boolean',
    },
  },
  admit: {
    keys: KEYS,
    args: {
      ...CALLER,
      origin: 'text',
      token: 'text',
      notAfterMs: 'integer',
      leaseMs: 'integer',
      minGapMs: 'integer',
      incarnation: 'text',
      failureDomain: 'text',
    },
    returns: {
      ...REPLY,
      admitted: 'boolean',
      code: 'text',
      reason: 'text',
      retryAfterMs: 'integer',
      generation: 'integer',
      trial: 'boolean',
      settingsRevision: 'integer',
      markVersion: 'integer',
    },
  },
  record: {
    keys: [...KEYS, 'batches', 'outages'],
    extraKey: 'workers',
    args: {
      ...CALLER,
      incarnation: 'text',
      sequence: 'integer',
      resent: 'boolean',
      jitterDraw: 'number',
      flushIntervalMs: 'integer',
      maxBatchesPerSecond: 'integer',
      notAfterMs: 'integer',
      lostMsAgo: 'integer',
      reporter: 'text',
      runs: 'json',
    },
    returns: {
      ...REPLY,
      duplicate: 'boolean',
      outdated: 'integer',
      dropped: 'integer',
      waitMs: 'integer',
      urgentShare: 'number',
    },
  },
  heartbeat: { keys: KEYS, args: { ...CALLER, progress: 'integer', notAfterMs: 'integer' }, returns: REPLY },
  overdue: { keys: KEYS, args: { ...CALLER, overdueMs: 'integer', intervalMs: 'integer' }, returns: REPLY },
  reset: { keys: [...KEYS, 'outages'], args: CONTROL, returns: REPLY },
  trip: { keys: KEYS, args: { ...CONTROL, forMs: 'integer' }, returns: REPLY },
  mark: { keys: KEYS, args: { ...CONTROL, mark: 'text', forMs: 'integer' }, returns: REPLY },
  resume: { keys: KEYS, args: { ...CONTROL, endedOnly: 'boolean' }, returns: REPLY },
  remove: { keys: [...KEYS, 'batches', 'outages', 'workers'], args: CONTROL, returns: REPLY },
  touch: {
    keys: KEYS,
    args: { ...CALLER, idleMs: 'integer', begin: 'boolean' },
    returns: { ...REPLY, idleAtMs: 'integer' },
  },
  view: {
    keys: [...KEYS, 'workers'],
    args: CALLER,
    returns: { ...REPLY, sinceMs: 'integer', tallies: 'json' },
  },
  expire: {
    keys: [...KEYS, 'batches', 'outages', 'workers'],
    args: CALLER,
    returns: { ...REPLY, expired: 'boolean', idleAtMs: 'integer' },
  },
  snapshot: {
    keys: ['config', 'circuit', 'history', 'trials', 'window', 'domains'],
    args: { id: 'text' },
    returns: REPLY,
  },
} as const satisfies Record<string, ScriptDefinition>

/** Those that run on the keys of one shard of the schedule of probes. */
export const SCHEDULE_SCRIPTS = {
  schedule: {
    keys: SCHEDULE_KEYS,
    args: {
      id: 'text',
      intervalMs: 'integer',
      spread: 'integer',
      needs: 'text',
      sinceMs: 'integer',
      recoveryInMs: 'integer',
    },
    returns: CHANGED,
  },
  unschedule: { keys: SCHEDULE_KEYS, args: { id: 'text' }, returns: CHANGED },
  bring_forward: {
    keys: SCHEDULE_KEYS,
    args: { id: 'text', inMs: 'integer', gapMs: 'integer' },
    returns: CHANGED,
  },
  claim: {
    keys: [...SCHEDULE_KEYS, ...QUEUE_KEYS],
    args: {
      planner: 'text',
      takeAfterMs: 'integer',
      max: 'integer',
      maxWaiting: 'integer',
      checkMs: 'integer',
      full: 'json',
    },
    returns: {
      status: 'text',
      nowMs: 'integer',
      planner: 'boolean',
      check: 'boolean',
      claimed: 'json',
      nextInMs: 'integer',
    },
  },
} as const satisfies Record<string, ScriptDefinition>

/** Those that run on the keys of one hook of the alerts. */
export const HOOK_SCRIPTS = {
  stage_message: {
    keys: ['hook', 'hook_cursors'],
    args: { revision: 'integer', delivery: 'text', body: 'text', cursors: 'json' },
    returns: { status: 'text', nowMs: 'integer', outcome: 'text' },
  },
  settle_message: {
    keys: ['hook'],
    args: { delivery: 'text' },
    returns: { status: 'text', nowMs: 'integer', behind: 'boolean' },
  },
} as const satisfies Record<string, ScriptDefinition>

export const SCRIPTS = { ...PROVIDER_SCRIPTS, ...SCHEDULE_SCRIPTS, ...HOOK_SCRIPTS }

export type ScriptName = keyof typeof SCRIPTS
export type ProviderScriptName = keyof typeof PROVIDER_SCRIPTS
export type ScheduleScriptName = keyof typeof SCHEDULE_SCRIPTS
export type HookScriptName = keyof typeof HOOK_SCRIPTS

interface TypeOf {
  text: string
  /** Null travels as empty text. */
  integer: number | null
  /** An integer that a script only compares with another text: it leaves it as it is. */
  digits: number
  /** Null travels as empty text. */
  number: number | null
  boolean: boolean
  /** Undefined where the script said nothing. */
  json: unknown
}
type Values<T extends Readonly<Record<string, WireType>>> = { readonly [K in keyof T]: TypeOf[T[K]] }

export type ScriptArgs<N extends ScriptName> = Values<(typeof SCRIPTS)[N]['args']>
export type ScriptReturns<N extends ScriptName> = Values<(typeof SCRIPTS)[N]['returns']>
