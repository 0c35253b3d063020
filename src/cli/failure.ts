import { CommanderError } from 'commander'
import { isBusbarError } from '../index.js'
import { clean } from './format.js'

/** What the process answers. The first four are of `status`; the others of every command. */
export const EXIT = {
  ok: 0,
  degraded: 1,
  unhealthy: 2,
  unknown: 3,
  failed: 1,
  usage: 64,
  internal: 70,
} as const

/** A failure with a sentence for a person: what is wrong, and what to do next. */
export class CliError extends Error {
  readonly code: string
  readonly exitCode: number

  constructor(code: string, exitCode: number, message: string) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}

export const wrongCall = (message: string): CliError => new CliError('wrong_call', EXIT.usage, message)

/** Says what went wrong, in one line and without a stack; answers the exit code. */
export function report(error: unknown, json: boolean): number {
  // Help, the version, and errors of the parser, which has written its own line.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok
    if (json) writeJson('wrong_call', oneLine(error.message))
    return EXIT.usage
  }
  const { code, exitCode, message } = judge(error)
  process.stderr.write(`busbar: ${message}\n`)
  if (json) writeJson(code, message)
  return exitCode
}

function judge(error: unknown): { code: string; exitCode: number; message: string } {
  const message = oneLine(error instanceof Error ? error.message : String(error))
  if (error instanceof CliError) return { code: error.code, exitCode: error.exitCode, message }
  if (!isBusbarError(error))
    return { code: 'internal', exitCode: EXIT.internal, message: `failed: ${message}` }
  switch (error.code) {
    case 'settings_invalid':
    case 'argument_invalid':
      return { code: error.code, exitCode: EXIT.usage, message }
    case 'redis_unavailable':
    case 'redis_unsupported':
    case 'command_late':
    case 'provider_removed':
    case 'provider_unknown':
      return { code: error.code, exitCode: EXIT.unknown, message }
    default:
      return { code: error.code, exitCode: EXIT.internal, message }
  }
}

const oneLine = (text: string): string => clean(text.replace(/\s*\n\s*/g, ' ').trim())

function writeJson(code: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
}
