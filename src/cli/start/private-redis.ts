import { findRedisServer, installRedis, startRedis } from '../../embedded/index.js'
import { EXIT } from '../failure.js'
import type { Lifetime } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Whatever Redis is at hand, or gets one; it ends with us, and we with it. */
export async function startPrivateRedis(lifetime: Lifetime, reporter: Reporter): Promise<string> {
  const note = (line: string) => reporter.note(line)
  if (findRedisServer() === undefined) await installRedis(note)
  const redis = await startRedis({ log: note })
  lifetime.onEnd(() => redis.stop())
  void redis.exited.then(() => {
    if (lifetime.ending) return
    reporter.note('the private Redis ended unexpectedly, so this ends too')
    lifetime.end(EXIT.failed)
  })
  return redis.url
}
