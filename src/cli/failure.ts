import { CommanderError } from 'commander'
import { isBusbarError, type ErrorCode } from '../index.js'
import { EXIT } from './exit.js'
import { hideSecrets } from '../view/format.js'

export { EXIT } from './exit.js'

/** A failure with a sentence for a person: the problem, and the next step. */
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

/** Prints the error in one line, without a stack. Answers the exit code. */
export function report(error: unknown, json: boolean): number {
  // The parser has written its own line.
  if (error instanceof CommanderError) {
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
  const { code } = error
  if (USAGE_CODES.includes(code)) return { code, exitCode: EXIT.usage, message }
  return { code, exitCode: UNKNOWN_CODES.includes(code) ? EXIT.unknown : EXIT.internal, message }
}

const USAGE_CODES: readonly ErrorCode[] = ['settings_invalid', 'argument_invalid']
const UNKNOWN_CODES: readonly ErrorCode[] = [
  'redis_unavailable',
  'redis_unsupported',
  'command_late',
  'provider_unknown',
  'provider_removed',
]

/** The message without secrets: this is the last place before a terminal. */
const oneLine = (text: string): string => hideSecrets(text.replace(/\s*\n\s*/g, ' ').trim())

function writeJson(code: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
}
