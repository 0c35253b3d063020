import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { loadCommands } from './commands.js'
import type { Cli } from './common.js'
import { clean } from './format.js'
import { Output } from './output.js'

/** How long what is still open (a socket that will not connect, say) may hold up the end of the process, ms. */
const LINGER_MS = 200

/** Runs `busbar <argv>` and answers its exit code. Failures are told on standard error, in one line. */
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

/** As `main`, without an end of the process: nothing but the answer on standard output and error. */
export async function run(argv: string[]): Promise<number> {
  const cli: Cli = { exitCode: 0 }
  try {
    const program = await createProgram(argv, cli)
    await program.parseAsync(argv, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0 // help, or the version
    const { report } = await import('./failure.js')
    return report(error, argv.includes('--json'))
  }
}

async function createProgram(argv: readonly string[], cli: Cli): Promise<Command> {
  const program = new Command('busbar')
    .description('One shared circuit breaker and health view per provider, for a whole fleet of workers.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'show help')
    .addHelpText('after', '\nEach command has examples: busbar status --help')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        const problem = text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
        write(`busbar: ${clean(problem).trim().replace(/\.$/, '')}; busbar --help says more\n`)
      },
    })
  for (const add of await loadCommands(argv)) add(program, cli)
  return program
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed
    ? String(parsed.version)
    : 'unknown'
}
