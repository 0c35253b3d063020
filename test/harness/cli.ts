import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { vi } from 'vitest'
import { holdsWithin } from './eventually.mjs'
import { isAlive } from './process.js'

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

const OWN_VARIABLES = [
  ...['REDIS_URL', 'BUSBAR_REDIS', 'BUSBAR_NAMESPACE'],
  ...['NO_COLOR', 'FORCE_COLOR', 'npm_lifecycle_event'],
]

/** Nothing of the developer's own may decide how the command behaves. */
function environment(own: CliOptions['env']): NodeJS.ProcessEnv {
  const env = { ...process.env, ...own }
  for (const name of OWN_VARIABLES) {
    if (own?.[name] === undefined) Reflect.deleteProperty(env, name)
  }
  return env
}

/** Runs the built command as its users do: for what is about processes (signals, pipes, exit codes, terminals). */
export async function spawnCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
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

let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs the command in this process, where it need not start first: one call at a time, because folder, environment and
 * standard output belong to the process. What reads standard input gets a process of its own.
 */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (options.input !== undefined || args.includes('-')) return spawnCli(args, options)
  const result = turn.then(() => runHere(args, options))
  turn = result.catch(() => undefined)
  return result
}

async function runHere(args: readonly string[], { cwd, env }: CliOptions): Promise<CliResult> {
  const { run } = await import('../../src/cli/main.js')
  const [folder, variables] = [process.cwd(), process.env]
  const [stdout, stderr] = [intercept(process.stdout), intercept(process.stderr)]
  const began = performance.now()
  try {
    if (cwd !== undefined) process.chdir(cwd)
    process.env = environment(env)
    const code = await run([...args])
    return { code, stdout: stdout.text(), stderr: stderr.text(), tookMs: performance.now() - began }
  } finally {
    process.chdir(folder)
    process.env = variables
    for (const stream of [stdout, stderr]) stream.restore()
  }
}

/** Keeps what is written, until `restore`, which also takes away the listeners that the command left on the stream. */
function intercept(stream: NodeJS.WriteStream) {
  const before = stream.rawListeners('error')
  let text = ''
  const spy = vi.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
    text += String(chunk)
    const done = rest.at(-1)
    if (typeof done === 'function') process.nextTick(done) // the callback of a write that went well
    return true
  })
  const restore = () => {
    spy.mockRestore()
    // A listener of an emitter is a function of any arguments; the types of the two methods differ in that only.
    for (const added of stream.rawListeners('error') as (() => void)[])
      if (!before.includes(added)) stream.off('error', added)
  }
  return { text: () => text, restore }
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
      await holdsWithin(() => pattern.test(output()) || child.exitCode !== null, timeoutMs)
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
  await holdsWithin(() => !pids.some(isAlive), withinMs)
  const left = pids.filter(isAlive)
  if (left.length === 0) return []
  const named = execFileSync('ps', ['-o', 'pid=,args=', '-p', left.join(',')], { encoding: 'utf8' })
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return named.trim().split('\n')
}
