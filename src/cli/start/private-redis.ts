import { findRedisServer, installCommand, startRedis } from '../../embedded/index.js'
import { CliError, EXIT } from '../failure.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'

/**
 * Starts a private Redis. This process and that Redis end together. Installs nothing: without a server on this machine the
 * error names the command that would.
 */
export async function startPrivateRedis(
  shutdown: Shutdown,
  reporter: Reporter,
  find = findRedisServer,
): Promise<string> {
  const note = (line: string) => reporter.note(line)
  const binary = find()
  if (binary === undefined) {
    throw new CliError(
      'redis_not_installed',
      EXIT.unknown,
      `there is no Redis server on this machine. To install it: ${installCommand()}`,
    )
  }
  const redis = await startRedis({ binary, log: note })
  shutdown.onEnd(() => redis.stop())
  void redis.exited.then(() => {
    if (shutdown.begun) return
    reporter.note('the private Redis ended unexpectedly, so this ends too')
    shutdown.begin(EXIT.failed)
  })
  return redis.url
}
