import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { findRedisServer } from './find.js'
import type { RedisBinary } from './find.js'
import { freePort, waitUntilServing } from './port.js'
import { watchdogScript } from './watchdog.js'

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
  /** Gets one line when something worth a line happens. Default: silent. */
  log?: (line: string) => void
}

export interface EmbeddedRedis {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Process id of the server itself. */
  readonly pid: number
  /** The temporary folder that goes away with the server. */
  readonly home: string
  /** Settles when the server is gone, whoever ended it. */
  readonly exited: Promise<void>
  /** Ends the server and removes its folder. Calling it again waits for the same end. */
  stop(): Promise<void>
}

/** Another process may take a port between our finding it free and Redis binding it; so often we try another. */
const maxAttempts = 5

/**
 * Starts a private Redis that listens on 127.0.0.1 only, keeps nothing on disk, and is gone within moments of its
 * parent's end, however that comes (see watchdog.ts). It does not keep the parent alive.
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
    if (result.server !== undefined) return result.server
    const mayRetry = result.portTaken && options.port === undefined && attempt < maxAttempts
    if (!mayRetry) throw new Error(result.problem)
    options.log?.(`port ${port} was taken in the meantime, trying another`)
  }
}

type Attempt = { server: EmbeddedRedis } | { server?: undefined; portTaken: boolean; problem: string }

async function startOnce(binary: RedisBinary, port: number, options: StartOptions): Promise<Attempt> {
  const watchdog = launch(binary, port, options)
  const timeoutMs = options.timeoutMs ?? 10_000
  const deadline = performance.now() + timeoutMs
  const cancel = new AbortController()
  const serving = watchdog.pid.then(async (pid) => {
    const served = await waitUntilServing({ port, pid, deadline, signal: cancel.signal })
    return served ? pid : 'late'
  })
  const result = await Promise.race([serving, watchdog.exited.then(() => 'gone' as const)])
  cancel.abort()
  if (typeof result === 'number') return { server: handle(watchdog, port, result) }

  await watchdog.end()
  const output = watchdog.output()
  const why = result === 'late' ? `did not answer within ${timeoutMs} ms` : 'ended at once'
  return {
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

interface Watchdog {
  home: string
  /** The server's pid, as soon as there is one; never settles if the watchdog ends before. */
  pid: Promise<number>
  exited: Promise<void>
  /** Everything the watchdog said after the pid: the server's last lines. Complete once `exited` is settled. */
  output(): string
  unref(): void
  end(): Promise<void>
}

function launch(binary: RedisBinary, port: number, options: StartOptions): Watchdog {
  const home = mkdtempSync(join(tmpdir(), 'busbar-redis-'))
  // A link gives the server the name that it wants to be called by; `exec -a` is not in every shell.
  symlinkSync(binary.path, join(home, binary.argv0))
  const args = serverArguments(port, options.dir ?? home, options.args ?? [])
  const shell = ['-c', watchdogScript, 'busbar-redis', home, binary.libraryPath ?? '', binary.argv0]
  const child = spawn('/bin/sh', [...shell, ...args], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => undefined) // a watchdog that was killed; `close` says so too

  let said = ''
  const pid = new Promise<number>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      if (said.includes('\n')) resolve(Number.parseInt(said, 10))
    })
  })
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      said += `\n${error.message}`
      resolve()
    })
  })
  const streams = [child.stdin, child.stdout].filter((stream) => stream instanceof Socket)
  return {
    home,
    pid,
    exited,
    output: () => said.slice(said.indexOf('\n') + 1),
    unref: () => [child, ...streams].forEach((part) => part.unref()),
    end: async () => {
      for (const part of [child, ...streams]) part.ref()
      child.stdin.end()
      await exited
      rmSync(home, { recursive: true, force: true }) // only does something if the watchdog was killed
    },
  }
}

function serverArguments(port: number, dir: string, extra: readonly string[]): string[] {
  const ours = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no']
  return [...ours, '--daemonize', 'no', ...extra]
}
