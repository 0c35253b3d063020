import { hostname, userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import type { CommonOptions } from './fleet.js'
import { cut } from './cut.js'
import { parseDuration } from './duration.js'

/** State that commands share: the exit code. */
export interface Cli {
  exitCode: number
}

/** Options of the commands with which an operator controls a provider. */
export interface ByHandOptions extends CommonOptions {
  readonly reason?: string
  readonly actor: string
  readonly for?: number
}

/** `--redis`, `--namespace`, `--json`, and examples below the help. */
export function withCommon(command: Command, examples: readonly string[]): Command {
  return command
    .option(
      '--redis <url>',
      'the fleet\'s Redis; default: BUSBAR_REDIS, else the one in .busbar/url, written by "busbar start"',
    )
    .option(
      '--namespace <ns>',
      'the fleet\'s namespace; default: BUSBAR_NAMESPACE, else the one in .busbar/url, else "busbar"',
    )
    .option('--json', 'print JSON for a program')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}\n`)
}

/** `--reason` and `--actor`. */
export function withByHandOptions(command: Command, examples: readonly string[]): Command {
  return withCommon(command, examples)
    .option('--reason <text>', 'why, in words; shown by status and explain, kept in the events')
    .addOption(new Option('--actor <name>', 'who asks').default(whoAmI(), 'you@this-host'))
}

/** `--for`. */
export const withDuration = (command: Command, what: string): Command =>
  command.option('--for <duration>', what, parseDuration)

/** The options for the library, without those that were not given. */
export const byHand = ({ reason, actor }: ByHandOptions): { reason?: string; actor: string } =>
  reason === undefined ? { actor } : { reason, actor }

export const timedByHand = (
  options: ByHandOptions,
): { reason?: string; actor: string; forMs: number | null } => ({
  ...byHand(options),
  forMs: options.for ?? null,
})

const MAX_ACTOR_LENGTH = 128

export function whoAmI(): string {
  let user: string
  try {
    user = userInfo().username
  } catch {
    user = String(process.getuid?.() ?? 'unknown') // a container's uid often has no name
  }
  return cut(`${user}@${hostname()}`, MAX_ACTOR_LENGTH)
}

export const writeJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export const writeLine = (line = ''): void => {
  process.stdout.write(`${line}\n`)
}
