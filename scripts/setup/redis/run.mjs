import { spawn } from 'node:child_process'

/**
 * Runs a command to its end without input, so that nothing can ask for a password or wait for an answer. Answers its exit
 * code (127 when it could not be started, 1 when a signal ended it), its output, and its standard error as `problem`.
 * `env` is added to this process's environment; `argv0` is the name under which the command is called.
 */
export const run = (command, args, { cwd, env, argv0 } = {}) =>
  new Promise((resolve) => {
    const options = { cwd, argv0, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }
    const child = spawn(command, args, options)
    let output = ''
    let problem = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk) => (problem += chunk))
    child.once('error', (error) => resolve({ code: 127, output, problem: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, output, problem }))
  })
