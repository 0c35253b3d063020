import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { connect, type Busbar } from '../../src/index.js'
import {
  BIN,
  runCli,
  startCommand,
  startTerminal,
  survivors,
  type CliOptions,
  type CliResult,
  type Started,
  type Terminal,
} from './cli.js'
import { redisUrl, testNamespace } from './redis.js'

/** One namespace, one folder, and the command in both. Ends with the test. */
export interface CliFleet {
  readonly url: string
  readonly busbar: Busbar
  readonly namespace: string
  readonly folder: string
  /** Runs the command to its end. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>
  /** As `run` with `--json`, and what it printed. */
  json(
    args: readonly string[],
    options?: CliOptions,
  ): Promise<{ code: number | null; value: Record<string, unknown> }>
  /** Starts a command that runs until it is told to end. */
  start(...args: string[]): Started
  /** Runs a line of shell on a terminal of its own. */
  terminal(line: string): Terminal
  /** Writes a file into the folder; answers its name. */
  file(content: string, name?: string): string
}

export async function cliFleet(url = redisUrl()): Promise<CliFleet> {
  const namespace = testNamespace()
  const folder = mkdtempSync(join(tmpdir(), 'busbar-cli-'))
  const busbar = await connect({
    redis: url,
    namespace,
    logger: false,
    commandTimeoutMs: 5_000,
    workerId: 'worker-1',
  })
  const started: Started[] = []
  onTestFinished(async () => {
    await survivors(
      started.map(({ pid }) => pid),
      0,
    )
    for (const id of await busbar.providers()) await busbar.remove(id)
    await busbar.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const address = ['--redis', url, '--namespace', namespace]
  const run: CliFleet['run'] = (args, options = {}) =>
    runCli([...args, ...address], { cwd: folder, ...options })
  return {
    url,
    busbar,
    namespace,
    folder,
    run,
    json: async (args, options) => {
      const { code, stdout } = await run([...args, '--json'], options)
      return { code, value: JSON.parse(stdout) as Record<string, unknown> } // an object, or the test fails on it
    },
    start: (...args) => {
      const command = startCommand([BIN, ...args, ...address], { cwd: folder })
      started.push(command)
      return command
    },
    terminal: (line) => {
      const command = startTerminal(line, { cwd: folder })
      started.push(command)
      return command
    },
    file: (content, name = 'fleet.yaml') => {
      writeFileSync(join(folder, name), content)
      return name
    },
  }
}

/** Ctrl-C, and how it ends. */
export function interrupt(command: Started): Promise<number | null> {
  process.kill(command.pid, 'SIGINT')
  return command.exit
}

/** One line for a person, and no stack. */
export function expectOneLine({ stderr }: CliResult, pattern: RegExp | string): void {
  if (typeof pattern === 'string') expect(stderr.trim()).toBe(pattern)
  else expect(stderr).toMatch(pattern)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).not.toMatch(/\n\s+at /)
}
