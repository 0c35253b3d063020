// Child processes that end when we are told to end.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** How long a child may take to end in order after a signal; "gone within 5 s" leaves 2 s for the rest. */
const graceMs = 3_000

/** A failure with a message made for people; its stack would say nothing. */
export function expected(message) {
  return Object.assign(new Error(message), { expected: true })
}

/**
 * Runs a command and answers its exit code, 128 + n for a signal. Signals to us are passed on to it.
 * The child leads a process group of its own: so a signal reaches it once (from us, not from the terminal too), and
 * whatever it started can be ended with it if it does not end within 3 s.
 */
export function runChild(command, args, { cwd, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit']
    const child = spawn(command, args, { cwd, env, stdio, detached: true })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))

    let timer
    let signalled
    const pass = (signal) => {
      signalled = signal
      killGroup(child, signal)
      timer ??= setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)
    }
    for (const signal of signals) process.on(signal, pass)
    const finish = () => {
      clearTimeout(timer)
      for (const signal of signals) process.off(signal, pass)
      if (signalled !== undefined) killGroup(child, 'SIGKILL') // what the child left behind
    }
    child.once('error', (error) => {
      finish()
      reject(expected(`${command} could not be started: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      finish()
      const by = signal ?? signalled
      resolve({ code: by === undefined ? code : 128 + constants.signals[by], signal: by, output })
    })
  })
}

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // the whole group is gone already
  }
}
