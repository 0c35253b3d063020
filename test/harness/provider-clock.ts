import type { Cluster, Redis } from 'ioredis'
import type { Store } from '../../src/model/ports/store.js'
import { START_MS } from './clock.js'

/**
 * The clock double for a Cluster: a script may read only keys of its own slot, so each provider has a clock, and all are
 * set together. A provider gets its own before the first operation on it.
 */
export function providerClock(client: Redis | Cluster, namespace: string) {
  let nowMs = START_MS
  const ids = new Set<string>()
  const key = (id: string) => `${namespace}:{${id}}:test-clock`
  const set = async (ms: number) => {
    nowMs = ms
    await Promise.all([...ids].map((id) => client.set(key(id), ms)))
  }
  const know = async (id: string) => {
    if (ids.has(id)) return
    ids.add(id)
    await client.set(key(id), nowMs)
  }
  return {
    nowMs: () => nowMs,
    set,
    advance: (ms: number) => set(nowMs + ms),
    isClock: (name: string) => name.endsWith(':test-clock'),
    override: {
      'lib/now': `local function clock_reading_ms()
  return tonumber(redis.call('GET', string.match(KEYS[1], '^(.*}):') .. ':test-clock'))
end`,
    },
    /** The same store; whatever provider an operation names has a clock. */
    around: (store: Store): Store =>
      new Proxy(store, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return async (...args: unknown[]): Promise<unknown> => {
            if (typeof args[0] === 'string') await know(args[0])
            return Reflect.apply(member, target, args)
          }
        },
      }),
  }
}
