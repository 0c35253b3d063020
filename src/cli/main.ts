import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addApply } from './commands/apply.js'
import { addDoctor } from './commands/doctor.js'
import { addEvents } from './commands/events.js'
import { addExplain } from './commands/explain.js'
import { addExport } from './commands/export.js'
import { addHistory } from './commands/history.js'
import { addMark } from './commands/mark.js'
import { addProbe } from './commands/probe.js'
import { addRemove } from './commands/remove.js'
import { addReset } from './commands/reset.js'
import { addResume } from './commands/resume.js'
import { addStart } from './commands/start.js'
import { addStatus } from './commands/status.js'
import { addTrip } from './commands/trip.js'
import { addWatch } from './commands/watch.js'
import type { Cli } from './common.js'
import { EXIT, report } from './failure.js'
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

async function run(argv: string[]): Promise<number> {
  const cli: Cli = { exitCode: EXIT.ok }
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    return report(error, argv.includes('--json'))
  }
}

function createProgram(cli: Cli): Command {
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
  addStart(program, cli)
  addStatus(program, cli)
  addExplain(program, cli)
  addHistory(program, cli)
  addEvents(program, cli)
  addTrip(program, cli)
  addReset(program, cli)
  addMark(program, cli)
  addResume(program, cli)
  addProbe(program, cli)
  addApply(program, cli)
  addExport(program, cli)
  addRemove(program, cli)
  addWatch(program, cli)
  addDoctor(program, cli)
  return program
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed
    ? String(parsed.version)
    : 'unknown'
}
