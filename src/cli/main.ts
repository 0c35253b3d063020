import { packageVersion } from '../package/version.js'
import { EXIT } from './exit.js'
import { Output } from './output.js'

/** How long an open handle (a socket that will not connect, say) may delay the end of the process, ms. */
const LINGER_MS = 200

/** Runs `busbar <argv>` and answers its exit code. A failure is one line on standard error. */
export async function main(argv: string[]): Promise<number> {
  const output = new Output()
  try {
    return await output.judge(await run(argv))
  } finally {
    setInterval(() => {
      if (!output.pending) process.exit()
    }, LINGER_MS).unref()
  }
}

/**
 * As `main`, without an end of the process: nothing but the answer on standard output and error. The version needs neither
 * the parser nor the library, and loading them is most of what a command costs.
 */
export async function run(argv: string[]): Promise<number> {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`${packageVersion()}\n`)
    return EXIT.ok
  }
  const { runProgram } = await import('./program.js')
  return runProgram(argv)
}
