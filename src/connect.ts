import type { Busbar } from './client/busbar.js'
import type { ConnectOptions } from './connect-options.js'
import type { Clock } from './model/ports/time.js'
import type { LuaSourceOptions } from './redis/lua-source.js'

/**
 * Connects this process to its fleet. While Redis does not answer, it begins without it and joins when Redis is there;
 * with `onRedisDown: 'deny'` it rejects. The first call of a process also loads ioredis.
 * @throws SettingsError for an option that makes no sense; RedisUnsupportedError; RedisUnavailableError when Redis refuses
 *   (a wrong password), or does not answer and `onRedisDown` is `deny`.
 */
export function connect(options: ConnectOptions): Promise<Busbar> {
  return connectWith(options, OF_THE_PACKAGE)
}

const OF_THE_PACKAGE: LuaSourceOptions = {}

/**
 * Loads the parts: not before a process connects, so that one that imports Busbar for its errors, or is asked for its version,
 * pays for neither them nor ioredis. A caller that limits how long it waits for Redis calls this first.
 */
export const loadParts = () => import('./assemble.js')

/** As `connect`, with other Lua and another clock: how tests move time. */
export async function connectWith(
  options: ConnectOptions,
  source: LuaSourceOptions,
  clock: Clock = performance,
): Promise<Busbar> {
  const { assemble } = await loadParts()
  return assemble(options, source, clock)
}
