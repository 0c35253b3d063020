import { readFileSync } from 'node:fs'
import { isTarget } from '../../config/probe/worker.js'
import { show } from '../../config/show.js'
import type {
  CheckCommand,
  ProbeFinding,
  ProberError,
  ProcessProbeSettings,
  ProcessSource,
  ProcessTarget,
  RunningProcess,
} from '../../model/probe.js'
import { codeOf, type UntimedFinding } from './explain.js'
import { runCommand } from './command.js'
import { registeredName, NO_ADDRESS, unregistered, type KindOfProbe } from './kind.js'
import { timed } from './timed.js'
import { messageOf, settleWithin } from './within.js'

/**
 * A process of this host: whether it runs, or a command that says how it is. Which one is known only to the worker that
 * registered it under its name. Never rejects.
 */
export function probeProcess(name: string, source: ProcessSource, timeoutMs: number): Promise<ProbeFinding> {
  return timed({}, async () => {
    const startedAt = performance.now()
    const located = await locate(name, source, timeoutMs)
    if (located.kind === 'prober_error') return located
    const { target } = located
    if (isCommand(target)) {
      const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedAt)))
      return runCommand(target, leftMs)
    }
    return judgeProcess(target)
  })
}

export const processKind: KindOfProbe<ProcessProbeSettings> = {
  ...NO_ADDRESS,
  run: async ({ name, timeoutMs }, _, { registered }) => {
    const source = registered.processes.get(name)
    return source === undefined ? unregistered('process', name) : probeProcess(name, source, timeoutMs)
  },
  unable: ({ name }, { processes }) => (processes.has(name) ? undefined : unregistered('process', name)),
  needs: ({ name }) => registeredName('process', name),
  judgesSnapshot: false,
}

const isCommand = (target: ProcessTarget): target is CheckCommand => 'command' in target

async function locate(
  name: string,
  source: ProcessSource,
  timeoutMs: number,
): Promise<{ readonly kind: 'located'; readonly target: ProcessTarget } | ProberError> {
  if (typeof source !== 'function') return { kind: 'located', target: source }
  const outcome = await settleWithin<unknown>(timeoutMs, source)
  const ours = (reason: string): ProberError => ({ kind: 'prober_error', reason })
  switch (outcome.kind) {
    case 'timeout':
      return ours(`what was registered for process ${name} did not answer within ${timeoutMs} ms`)
    case 'threw':
      return ours(`what was registered for process ${name} threw: ${messageOf(outcome.error)}`)
    case 'answered':
      if (isTarget(outcome.value)) return { kind: 'located', target: outcome.value }
      return ours(
        `what was registered for process ${name} answered ${show(outcome.value)}, expected { pid } or { command }`,
      )
    default:
      return outcome satisfies never
  }
}

/** One that has ended is `terminated`, whatever its exit code: it is not there any more. */
export function judgeProcess({ pid, exitCode, signalCode }: RunningProcess): UntimedFinding {
  if (signalCode !== undefined && signalCode !== null)
    return { kind: 'judged', status: 'terminated', detail: `ended by ${signalCode}` }
  if (exitCode !== undefined && exitCode !== null)
    return { kind: 'judged', status: 'terminated', detail: `ended with exit code ${exitCode}` }
  if (pid === undefined) return { kind: 'judged', status: 'terminated', detail: 'it was never started' }
  return isRunning(pid)
    ? { kind: 'judged', status: 'healthy', detail: `process ${pid} runs` }
    : { kind: 'judged', status: 'terminated', detail: `process ${pid} does not run` }
}

/** Signal 0 asks without doing anything. EPERM means that the process is there, but belongs to another user. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  return !isZombie(pid)
}

/** A zombie has ended, but signals still reach it until its parent reads the exit code. Known on Linux alone. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat[stat.lastIndexOf(')') + 2] === 'Z'
  } catch {
    return false
  }
}
