import { RedisUnsupportedError } from '../model/errors.js'

/** 6.2, for HRANDFIELD. */
const OLDEST_VERSION = 602

/**
 * Checks the reply to `INFO server`. A proxy may give no version: then the server is taken as it is.
 * @throws RedisUnsupportedError
 */
export function checkServer(info: string): void {
  const [, major, minor] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? []
  if (major === undefined || minor === undefined) return
  if (Number(major) * 100 + Number(minor) < OLDEST_VERSION) {
    throw new RedisUnsupportedError(`Redis ${major}.${minor} is too old: Busbar needs 6.2 or later`)
  }
  // The scripts write times as text by %d, which is 32 bits wide there.
  if (/^arch_bits:32\b/m.test(info)) {
    throw new RedisUnsupportedError('this Redis is a 32-bit build: Busbar needs a 64-bit one')
  }
}
