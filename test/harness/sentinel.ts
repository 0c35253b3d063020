import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedisServer, startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import { freePort, waitUntilServing } from '../../src/embedded/port.js'
import { launch, type Watchdog } from '../../src/embedded/watchdog.js'
import { eventually } from './eventually.mjs'

export interface SentinelTrio {
  readonly master: EmbeddedRedis
  readonly replica: EmbeddedRedis
  /** `redis+sentinel://...` */
  readonly url: string
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** The port of the master, by the word of a Sentinel. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

const NAME = 'fleet'
const DOWN_AFTER_MS = 1_000

/** A master, a replica and three Sentinels: real servers, that agree on one another before this returns. */
export async function startSentinels(): Promise<SentinelTrio> {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  const follow = ['--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0']
  const replica = await startRedis({ args: follow })
  const started = await Promise.all([1, 2, 3].map(() => startSentinel(master.port)))
  const sentinels = started.map(({ port }) => ({ host: '127.0.0.1', port }))
  const admins = sentinels.map((at) =>
    new Redis({ ...at, retryStrategy: () => null }).on('error', () => undefined),
  )
  const stop = async () => {
    for (const admin of admins) admin.disconnect()
    await Promise.all([...started.map(({ watchdog }) => watchdog.end()), master.stop(), replica.stop()])
  }
  try {
    await eventually(async () => {
      const told = await Promise.all(admins.map((admin) => admin.call('SENTINEL', 'MASTER', NAME)))
      return told.every((flat) => {
        const facts = flat as string[]
        const value = (field: string) => facts[facts.indexOf(field) + 1]
        return (
          value('num-slaves') === '1' && value('num-other-sentinels') === '2' && value('flags') === 'master'
        )
      })
    }, 'the Sentinels know each other and the replica')
  } catch (error) {
    await stop()
    throw error
  }
  const masterPort = async () => {
    const [, port] = (await admins[0]?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string]
    return Number(port)
  }
  const url = `redis+sentinel://${sentinels.map(({ host, port }) => `${host}:${port}`).join(',')}/${NAME}`
  return { master, replica, url, sentinels, masterPort, stop }
}

/** It keeps what it learns in its configuration, so it has a file. `more`: further lines of it. */
export async function startSentinel(
  masterPort: number,
  more: readonly string[] = [],
): Promise<{ port: number; watchdog: Watchdog }> {
  const binary = findRedisServer()
  if (binary === undefined) throw new Error('no redis-server was found')
  for (let attempt = 0; ; attempt += 1) {
    const port = await freePort()
    const config = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 5000`,
      ...more,
    ]
    const watchdog = launch(binary, (home) => {
      const file = join(home, 'sentinel.conf')
      writeFileSync(file, `dir ${home}\n${config.join('\n')}\n`)
      return [file, '--sentinel']
    })
    const deadline = performance.now() + 10_000
    const cancel = new AbortController()
    const serving = watchdog.pid.then((pid) =>
      waitUntilServing({ port, pid, deadline, signal: cancel.signal }),
    )
    const served = await Promise.race([serving, watchdog.exited.then(() => false)])
    cancel.abort()
    if (served) return { port, watchdog }
    await watchdog.end()
    if (attempt === 4) throw new Error(`a Sentinel did not start: ${watchdog.output()}`)
  }
}
