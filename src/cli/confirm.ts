import { createInterface } from 'node:readline/promises'
import { wrongCall } from './failure.js'

/** Asks a person at a terminal. @throws CliError where there is none: nothing is assumed. `--dry-run` must be known. */
export async function confirm(question: string): Promise<boolean> {
  const { stdin, stderr } = process
  if (!stdin.isTTY || !process.stdout.isTTY) {
    throw wrongCall('no terminal to ask at: give --yes to do it, or --dry-run to look')
  }
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
