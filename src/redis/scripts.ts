import { BusbarError } from '../model/errors.js'
import type { RedisConnection } from './connection.js'
import { loadScript, type LuaSourceOptions } from './lua-source.js'
import { SCRIPTS } from './script-definitions.js'
import type {
  ScriptArgs,
  ScriptDefinition,
  ScriptKey,
  ScriptName,
  ScriptReturns,
  WireType,
} from './script-definitions.js'

/** What a script answers: all its returns, or why it did nothing. */
export type ScriptReply<N extends ScriptName> =
  | ({ readonly status: 'ok' } & Omit<ScriptReturns<N>, 'status'>)
  | { readonly status: 'unknown_provider' | 'late'; readonly nowMs: number }

/** What a call needs of a definition, laid out once: strict mode asks for an admission at every call. */
const LAYOUTS = mapScripts(({ keys, extraKey, args, returns }: ScriptDefinition) => ({
  keys,
  extraKey,
  args: Object.entries(args),
  returns: Object.entries(returns),
}))

function mapScripts<T>(layOut: (definition: ScriptDefinition) => T): Readonly<Record<ScriptName, T>> {
  const laidOut = Object.entries(SCRIPTS).map(([name, definition]) => [name, layOut(definition)] as const)
  // The keys of SCRIPTS, all of them.
  return Object.fromEntries(laidOut) as Record<ScriptName, T>
}

const OF_THE_PACKAGE: LuaSourceOptions = {}
const known = new WeakMap<LuaSourceOptions, Map<string, string>>()

/** As `loadScript`: once for all connections of a process that take their scripts from there. */
function loaded(name: string, source: LuaSourceOptions): string {
  const scripts = known.get(source) ?? new Map<string, string>()
  known.set(source, scripts)
  const text = scripts.get(name) ?? loadScript(name, source)
  scripts.set(name, text)
  return text
}

/** The key that a script calls `name`, of the provider or the shard that it runs on. */
export type KeyOf = (of: string, name: ScriptKey) => string

/** Runs some of the scripts by name, over ioredis's `defineCommand` (EVALSHA, NOSCRIPT, Cluster). */
export class Scripts<Own extends ScriptName> {
  readonly #connection: RedisConnection
  readonly #keyOf: KeyOf

  constructor(
    connection: RedisConnection,
    scripts: Readonly<Record<Own, ScriptDefinition>>,
    keyOf: KeyOf,
    source: LuaSourceOptions = OF_THE_PACKAGE,
  ) {
    this.#connection = connection
    this.#keyOf = keyOf
    for (const [name, definition] of Object.entries<ScriptDefinition>(scripts)) {
      const { keys, extraKey } = definition
      connection.define(`busbar_${name}`, keys.length, loaded(name, source))
      if (extraKey !== undefined) connection.define(withExtra(name), keys.length + 1, loaded(name, source))
    }
  }

  /**
   * `rest`: arguments that are the same for every script of its owner, so that `args` need not be copied to add them; and
   * whether the extra key of the script is given.
   */
  async run<N extends Own, Rest extends keyof ScriptArgs<N> = never>(
    name: N,
    of: string,
    args: Omit<ScriptArgs<N>, Rest>,
    rest?: Pick<ScriptArgs<N>, Rest> & { readonly extra?: boolean },
  ): Promise<ScriptReply<N>> {
    const { keys, extraKey, args: wire, returns } = LAYOUTS[name]
    const given: Fields = args
    const others: Fields = rest ?? NONE
    const sent = keys.map((key) => this.#keyOf(of, key))
    const extra = rest?.extra === true && extraKey !== undefined
    if (extra) sent.push(this.#keyOf(of, extraKey))
    for (const [field, type] of wire) sent.push(encode(type, given[field] ?? others[field]))
    const command = extra ? withExtra(name) : `busbar_${name}`
    const reply = await this.#connection.run(command, sent, `${name} ${of}`)
    return decodeReply(name, returns, reply)
  }
}

/** The same script as another command: it is told how many of its inputs are keys. */
const withExtra = (name: string): string => `busbar_${name}_extra`

type Fields = Readonly<Record<string, unknown>>
const NONE: Fields = {}

function encode(type: WireType, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (type === 'json') return encodeJson(value)
  if (type === 'boolean') return value === true ? '1' : '0'
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : ''
}

/**
 * The JSON of Redis refuses the escape of half a surrogate pair, and the command with it. Text is made well-formed where
 * it enters; this holds for what came another way. The search is all that it costs: whole pairs are not escaped.
 */
function encodeJson(value: unknown): string {
  const json = JSON.stringify(value)
  if (!json.includes('\\ud')) return json
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed() : inner,
  )
}

function decode(type: WireType, value: string): unknown {
  switch (type) {
    case 'text':
      return value
    case 'integer':
    case 'digits':
    case 'number':
      return value === '' ? null : Number(value)
    case 'boolean':
      return value === '1'
    case 'json':
      return value === '' ? undefined : JSON.parse(value)
    default:
      return type satisfies never
  }
}

/** A script leaves out what is empty at the end (lua/lib/reply.lua), but for its first values: status, time, and one more. */
const ALWAYS_SENT = 3

function decodeReply<N extends ScriptName>(
  name: N,
  returns: readonly [string, WireType][],
  reply: unknown,
): ScriptReply<N> {
  if (!Array.isArray(reply)) throw unexpected(name, reply)
  const values: unknown[] = reply
  const [status, nowMs] = values
  if (status === 'unknown_provider' || status === 'late') return { status, nowMs: Number(nowMs) }
  if (status !== 'ok' || values.length < ALWAYS_SENT || values.length > returns.length)
    throw unexpected(name, reply)
  const decoded: Record<string, unknown> = {}
  returns.forEach(([field, type], index) => {
    decoded[field] = decode(type, index < values.length ? String(values[index]) : '')
  })
  // The length and order were checked against the definition from which this very type is derived.
  return decoded as unknown as ScriptReply<N>
}

/** The reply itself is not shown: it may hold settings, with headers. */
function unexpected(name: string, reply: unknown): BusbarError {
  const said = Array.isArray(reply) ? `${reply.length} values` : `a ${typeof reply}`
  return new BusbarError(
    'redis_unsupported',
    `script ${name} answered ${said}, which is not what was expected`,
  )
}
