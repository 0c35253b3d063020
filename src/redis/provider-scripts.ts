import { UnknownProviderError } from '../model/errors.js'
import type * as port from '../model/ports/store.js'
import type { RedisConnection } from './connection.js'
import { changesChannel, keyOfProvider } from './keys.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseEvents, parseSnapshot } from './parse.js'
import { PROVIDER_SCRIPTS } from './script-definitions.js'
import type { ProviderScriptName, ScriptArgs, ScriptReturns } from './script-definitions.js'
import { Scripts, type ScriptReply } from './scripts.js'

export interface KnownScriptReply<N extends ProviderScriptName> {
  readonly known: port.KnownReply<unknown>
  /** The whole reply, of which a part is the script's own. */
  readonly returned: ScriptReturns<N>
}

/** Runs the scripts of providers, and reads what all of their replies have in common. */
export class ProviderScripts {
  readonly #scripts: Scripts<ProviderScriptName>
  readonly #channel: string

  constructor(redis: RedisConnection, namespace: string, source?: LuaSourceOptions) {
    this.#scripts = new Scripts(redis, PROVIDER_SCRIPTS, keyOfProvider(namespace), source)
    this.#channel = changesChannel(namespace, redis.database)
  }

  /** `extra`: with the extra key of the script. */
  run<N extends Exclude<ProviderScriptName, 'snapshot'>>(
    name: N,
    id: string,
    args: Omit<ScriptArgs<N>, 'id' | 'channel'>,
    extra = false,
  ): Promise<ScriptReply<N>> {
    const rest = { id, channel: this.#channel, extra }
    // Every script but `snapshot` takes both; the compiler cannot see that through the generic.
    return this.#scripts.run<N, 'id' | 'channel'>(name, id, args, rest)
  }

  snapshot(id: string): Promise<ScriptReply<'snapshot'>> {
    return this.#scripts.run('snapshot', id, { id })
  }

  /** A reply that has nothing of its own. */
  plain(name: ProviderScriptName, id: string, reply: ScriptReply<ProviderScriptName>): port.Reply {
    return reply.status === 'ok' ? this.known(name, id, reply).known : reply
  }

  /** The reply about a provider that is there. @throws UnknownProviderError */
  known<N extends ProviderScriptName>(name: N, id: string, reply: ScriptReply<N>): KnownScriptReply<N> {
    if (reply.status !== 'ok')
      throw new UnknownProviderError(`${id} (script ${name} answered ${reply.status})`)
    // Narrowed by the line above; the compiler loses that in the generic.
    const returned = reply as unknown as ScriptReturns<N>
    const known: port.KnownReply<unknown> = {
      status: 'ok',
      nowMs: Number(returned.nowMs),
      applied: Number(returned.applied),
      snapshot: parseSnapshot(returned.snapshot),
      events: parseEvents(id, returned.events),
    }
    return { known, returned }
  }
}
