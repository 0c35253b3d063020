import { findRedisServer, installRedis, startRedis } from '../../embedded/index.js'
import { EXIT } from '../failure.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Starts a private Redis, which is installed if there is none. This process and that Redis end together. */
export async function startPrivateRedis(shutdown: Shutdown, reporter: Reporter): Promise<string> {
  const note = (line: string) => reporter.note(line)
  if (findRedisServer() === undefined) await installRedis(note)
  const redis = await startRedis({ log: note })
  shutdown.onEnd(() => redis.stop())
  void redis.exited.then(() => {
    if (shutdown.begun) return
    reporter.note('the private Redis ended unexpectedly, so this ends too')
    shutdown.begin(EXIT.failed)
  })
  return redis.url
}
