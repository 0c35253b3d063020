import { findRedisServer } from './find.js'
import type { RedisBinary } from './find.js'
import { freePort, waitUntilServing } from './port.js'
import { launch } from './watchdog.js'
import type { Watchdog } from './watchdog.js'

export interface StartOptions {
  /** TCP port on 127.0.0.1, 1-65535. Default: any free one. */
  port?: number
  /** Folder that Redis works in, such as one with a dump to load. It is kept. Default: a temporary one, removed. */
  dir?: string
  /** Further arguments of redis-server, such as `['--hz', '100']`; they win over ours. */
  args?: readonly string[]
  /** The server to start. Default: what `findRedisServer()` finds. */
  binary?: RedisBinary
  /** How long the server may take to answer, in ms. Default 10 000. */
  timeoutMs?: number
  /** Gets a line for each event that a person may want to know. Default: none. */
  log?: (line: string) => void
}

export interface EmbeddedRedis {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Process id of the server itself. */
  readonly pid: number
  /** The temporary folder, which is removed with the server. */
  readonly home: string
  /** Settles when the server has ended, by `stop` or in any other way. */
  readonly exited: Promise<void>
  /** Ends the server at once (SIGKILL: it saves nothing) and removes its folder. Again: waits for the same end. */
  stop(): Promise<void>
}

/** How often another port is tried: a process may take a free port before Redis binds it. */
const maxAttempts = 5

/**
 * Starts a private Redis that listens on 127.0.0.1 only, keeps nothing on disk, and is gone within moments of its
 * parent's end, SIGKILL included (see watchdog.ts). It does not keep the parent alive.
 * Rejects when there is no server on this machine, the given port is taken, or it does not answer in time.
 */
export async function startRedis(options: StartOptions = {}): Promise<EmbeddedRedis> {
  const binary = options.binary ?? findRedisServer()
  if (binary === undefined) {
    throw new Error('no redis-server, valkey-server or redis-check-rdb was found: install Redis 6.2 or later')
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort())
    const result = await startOnce(binary, port, options)
    if (result.kind === 'serving') return result.server
    const mayRetry = result.portTaken && options.port === undefined && attempt < maxAttempts
    if (!mayRetry) throw new Error(result.problem)
    options.log?.(`port ${port} was taken in the meantime, trying another`)
  }
}

type StartResult =
  | { readonly kind: 'serving'; readonly server: EmbeddedRedis }
  | { readonly kind: 'failed'; readonly portTaken: boolean; readonly problem: string }

async function startOnce(binary: RedisBinary, port: number, options: StartOptions): Promise<StartResult> {
  const { dir, args = [] } = options
  const watchdog = launch(binary, (home) => serverArguments(port, dir ?? home, args))
  const timeoutMs = options.timeoutMs ?? 10_000
  const deadline = performance.now() + timeoutMs
  const cancel = new AbortController()
  const serving = watchdog.pid.then(async (pid) => {
    const served = await waitUntilServing({ port, pid, deadline, signal: cancel.signal })
    return served ? pid : 'late'
  })
  const result = await Promise.race([serving, watchdog.exited.then(() => 'gone' as const)])
  cancel.abort()
  if (typeof result === 'number') return { kind: 'serving', server: handle(watchdog, port, result) }

  await watchdog.end()
  const output = watchdog.output()
  const why = result === 'late' ? `did not answer within ${timeoutMs} ms` : 'ended at once'
  return {
    kind: 'failed',
    portTaken: /Address already in use|listening socket/i.test(output),
    problem: `${binary.path} on 127.0.0.1:${port} ${why}: ${output.trim().split('\n').slice(-3).join('; ')}`,
  }
}

function handle(watchdog: Watchdog, port: number, pid: number): EmbeddedRedis {
  watchdog.unref()
  const { home, exited } = watchdog
  let stopped: Promise<void> | undefined
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid,
    home,
    exited,
    stop: () => (stopped ??= watchdog.end()),
  }
}

function serverArguments(port: number, dir: string, extra: readonly string[]): string[] {
  const ours = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no']
  return [...ours, '--daemonize', 'no', ...extra]
}
