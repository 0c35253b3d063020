import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { eventually, isAlive } from './process.js'

export const BIN = fileURLToPath(new URL('../../bin/busbar.mjs', import.meta.url))

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What stands on standard input; default: nothing, and it is closed. */
  readonly input?: string
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

/** Nothing of the developer's own may decide how the command behaves. */
function environment(own: CliOptions['env']): NodeJS.ProcessEnv {
  const env = { ...process.env, ...own }
  for (const name of THEIR_OWN) if (own?.[name] === undefined) Reflect.deleteProperty(env, name)
  return env
}

const THEIR_OWN = [
  'REDIS_URL',
  'BUSBAR_REDIS',
  'BUSBAR_NAMESPACE',
  'NO_COLOR',
  'FORCE_COLOR',
  'npm_lifecycle_event',
]

/** Runs the built command as its users do. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const began = performance.now()
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(options.input)
  const output = collect(child)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...output(), tookMs: performance.now() - began }
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return () => ({ stdout, stderr })
}

/** A command that runs until it is told to end. */
export interface Started {
  readonly pid: number
  readonly exit: Promise<number | null>
  output(): string
  /** Waits for what `pattern` finds in the output. */
  said(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
}

/** Starts it as the leader of a group of its own, as a shell would. */
export function startCommand(command: readonly string[], options: CliOptions = {}): Started {
  return follow(
    spawn(process.execPath, command, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  )
}

/** A command at whose keyboard somebody sits. */
export interface Terminal extends Started {
  type(keys: string): void
}

/** Runs a line of shell on a terminal of its own, by script(1) of util-linux; it exits as the line does. */
export function startTerminal(line: string, options: CliOptions = {}): Terminal {
  const child = spawn('script', ['--quiet', '--return', '--echo', 'never', '--command', line, '/dev/null'], {
    cwd: options.cwd,
    env: environment({ TERM: 'xterm', ...options.env }),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  return { ...follow(child), type: (keys) => child.stdin.write(keys) }
}

function follow(child: ChildProcess): Started {
  const { pid } = child
  if (pid === undefined) throw new Error('the command did not start')
  const collected = collect(child)
  const output = () => collected().stdout + collected().stderr
  return {
    pid,
    exit: new Promise((resolve) => child.once('exit', resolve)),
    output,
    said: async (pattern, timeoutMs = 40_000) => {
      await eventually(() => pattern.test(output()) || child.exitCode !== null, timeoutMs)
      const found = pattern.exec(output())
      if (found === null) throw new Error(`${String(pattern)} was never said:\n${output()}`)
      return found
    },
  }
}

/** `root` and all processes below it. */
export function processTree(root: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number))
  const tree = [root]
  for (const parent of tree) {
    for (const [pid = 0, ppid] of rows) if (ppid === parent && !tree.includes(pid)) tree.push(pid)
  }
  return tree
}

/** Those that still run after `withinMs`; ends them, so that a failing test leaves nothing behind. */
export async function survivors(pids: readonly number[], withinMs: number): Promise<string[]> {
  await eventually(() => !pids.some(isAlive), withinMs)
  const left = pids.filter(isAlive)
  if (left.length === 0) return []
  const named = execFileSync('ps', ['-o', 'pid=,args=', '-p', left.join(',')], { encoding: 'utf8' })
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return named.trim().split('\n')
}
