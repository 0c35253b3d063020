import { spawn, type ChildProcess } from 'node:child_process'
import type { CheckCommand } from '../../model/probe.js'
import { codeOf, type UntimedFinding } from './explain.js'
import { messageOf, oneLine } from './within.js'

/**
 * A command as a check, as a health check of a container is: exit code 0 is healthy. It runs without a shell, without
 * input, and in a process group of its own; when it ends, or its time is up, all of that group is killed, so that no
 * child of it is left behind. Only a worker that is itself killed by SIGKILL in these moments leaves it running.
 */

/** Of what a command writes, only the end is kept, bytes. */
export const OUTPUT_LIMIT = 4_096
/** What a descendant that has left the group may hold the pipes open for, ms. */
const CLOSE_MS = 100
/** After that a killed command is not waited for any more, ms. */
const GIVE_UP_MS = 500
/** The end of the output that is stored and shown, characters. */
const SHOWN_OUTPUT = 140

/** Never rejects: whatever happens is a finding. */
export function runCommand({ command }: CheckCommand, timeoutMs: number): Promise<UntimedFinding> {
  return new Promise((resolve) => {
    const [file, ...args] = command
    let child: ChildProcess
    try {
      child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    } catch (error) {
      resolve(notStarted(file, error))
      return
    }
    const output = keepTail(child)
    let stopped: UntimedFinding | undefined
    const end = (finding: UntimedFinding) => {
      clearTimeout(timer)
      child.stdout?.destroy()
      child.stderr?.destroy()
      resolve(finding)
    }
    const stop = (finding: UntimedFinding) => {
      stopped ??= finding
      killGroup(child)
      // Not even SIGKILL ends what waits for a disk that is gone.
      setTimeout(() => end(withOutput(finding, output())), GIVE_UP_MS).unref()
    }
    const late = `the command did not end within ${timeoutMs} ms`
    const timer = setTimeout(() => stop({ kind: 'judged', status: 'timeout', detail: late }), timeoutMs)
    child.on('error', (error) => {
      if (child.pid === undefined) end(notStarted(file, error))
    })
    child.on('exit', (code, signal) => {
      const judged = () => end(withOutput(stopped ?? judgeExit(code, signal), output()))
      killGroup(child)
      child.once('close', judged)
      setTimeout(judged, CLOSE_MS)
    })
  })
}

/** The negative of a pid is its group, which has the number of its first process. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Every process of the group has ended.
  }
}

function judgeExit(code: number | null, signal: NodeJS.Signals | null): UntimedFinding {
  if (code === 0) return { kind: 'judged', status: 'healthy', detail: 'exit code 0' }
  return {
    kind: 'judged',
    status: 'unhealthy',
    detail: code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`,
  }
}

function withOutput(finding: UntimedFinding, output: string): UntimedFinding {
  if (finding.kind === 'prober_error' || output === '') return finding
  const last = Array.from(oneLine(output)).slice(-SHOWN_OUTPUT).join('')
  const detail = last === '' || finding.status === 'healthy' ? finding.detail : `${finding.detail}: ${last}`
  return { ...finding, detail, output }
}

/** The end of what comes on both pipes, in the order in which it came. */
function keepTail(child: ChildProcess): () => string {
  let tail: Buffer = Buffer.alloc(0)
  let cut = false
  const keep = (chunk: Buffer) => {
    const all = Buffer.concat([tail, chunk])
    cut ||= all.length > OUTPUT_LIMIT
    tail = all.subarray(-OUTPUT_LIMIT)
  }
  for (const pipe of [child.stdout, child.stderr]) pipe?.on('data', keep).on('error', () => undefined)
  return () => tail.toString('utf8', cut ? firstCharacter(tail) : 0)
}

/** What was cut at a byte may begin in the middle of a character, whose later bytes are all 10xxxxxx: four at most. */
function firstCharacter(bytes: Buffer): number {
  let at = 0
  while (at < 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1
  return at
}

/** It was this worker that registered the command, and that has no such file, or no room for a process. */
const notStarted = (file: string, error: unknown): UntimedFinding => ({
  kind: 'prober_error',
  reason: `the command ${file} cannot be started: ${codeOf(error) || messageOf(error)}`,
})
