import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { RedisBinary } from './find.js'

/**
 * The shell script that owns a private Redis. It runs in a session of its own, so that Ctrl-C in the parent's
 * terminal does not reach Redis before the parent has shut down in order. Its standard input is a pipe whose
 * other end only the parent holds: however the parent ends, SIGKILL included, the kernel closes that end, `read`
 * returns, and Redis is killed. Nothing is lost by SIGKILL, since the server keeps no data, and it also ends a
 * server that a test has frozen.
 *
 * Arguments: the private folder, the library path (may be empty), the server's name in that folder, then the
 * server's own arguments. Prints the server's pid on a line, and when the server has ended, the last of its output.
 * Exits when the server and the folder are gone.
 *
 * Redis is a direct child that only the main shell reaps, so the reader cannot hit a stranger under a recycled
 * pid. The reader cleans up too, for the case that the main shell was killed.
 */
const watchdogScript = `
trap '' INT TERM HUP PIPE
exec 3<&0
home=$1 libraries=$2 name=$3
shift 3
(
  if [ -n "$libraries" ]; then
    export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  exec "$home/$name" "$@"
) </dev/null >"$home/output.log" 2>&1 3<&- &
redis=$!
(
  read -r _
  kill -KILL "$redis" 2>/dev/null
  rm -rf "$home"
) <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
echo "$redis"
wait "$redis"
kill -KILL "$reader" 2>/dev/null
tail -n 20 "$home/output.log" 2>/dev/null
rm -rf "$home"
`

/** The shell that owns a server, and through it the server. */
export interface Watchdog {
  home: string
  /** The server's pid. Never settles if the watchdog ends before there is one. */
  pid: Promise<number>
  exited: Promise<void>
  /** The output of the watchdog after the pid: the server's last lines. Complete once `exited` is settled. */
  output(): string
  unref(): void
  end(): Promise<void>
}

/** Starts the server under its watchdog, with the arguments that `argsFor` gives for its temporary folder. */
export function launch(binary: RedisBinary, argsFor: (home: string) => string[]): Watchdog {
  const home = mkdtempSync(join(tmpdir(), 'busbar-redis-'))
  // A link gives the server the name under which it must be started: not every shell has `exec -a`.
  symlinkSync(binary.path, join(home, binary.argv0))
  const shell = ['-c', watchdogScript, 'busbar-redis', home, binary.libraryPath ?? '', binary.argv0]
  const child = spawn('/bin/sh', [...shell, ...argsFor(home)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
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
