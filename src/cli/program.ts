import { Command, CommanderError } from 'commander'
import { packageVersion } from '../package/version.js'
import { loadCommands } from './commands.js'
import type { Cli } from './common.js'
import { clean } from '../view/format.js'

/** Parses and runs `busbar <argv>`; answers the exit code. */
export async function runProgram(argv: string[]): Promise<number> {
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
    .version(packageVersion(), '--version', 'print the version')
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
