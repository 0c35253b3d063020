import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface RunOptions {
  cwd?: string
  /** Added to this process's environment. */
  env?: Record<string, string>
  /** The name under which the command is called (argv[0]). */
  argv0?: string
}

export interface Ran {
  /** Exit code; 127 when the command could not be started, 1 when a signal ended it. */
  code: number
  /** Standard output. */
  output: string
  /** Standard error, for a message. */
  problem: string
}

/** Runs a command to its end without input, so that nothing can ask for a password or wait for an answer. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<Ran>

export const run: Run = (command, args, { cwd, env, argv0 } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      ...(argv0 === undefined ? {} : { argv0 }),
    })
    let output = ''
    let problem = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (problem += chunk))
    child.once('error', (error) => resolve({ code: 127, output, problem: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, output, problem }))
  })

/** Whether a command of this name can be run. */
export function has(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return folder !== ''
    } catch {
      return false // not in this folder
    }
  })
}
