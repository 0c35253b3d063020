import { redisFailure } from '../../model/errors.js'
import type { Clock } from '../../model/ports/time.js'
import type { Level, Logger } from './log.js'

/**
 * Logs the same error of one source once in `QUIET_MS`; the next line of it says how many were suppressed. Two errors are the
 * same when they failed in the same way, whatever their words: those name commands and providers, and alternate.
 */
export class Repeats {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #sources = new Map<string, { readonly loggedAt: number; suppressed: number }>()

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  log({ level, fields, message }: { level: Level; fields: object; message: string }): void {
    const error: unknown = Reflect.get(fields, 'err')
    const kind = redisFailure(error) ?? (error instanceof Error ? error.name : '')
    const source = `${message}\n${kind}`
    const known = this.#sources.get(source)
    const now = this.#clock.now()
    if (known !== undefined && now - known.loggedAt < QUIET_MS) {
      known.suppressed += 1
      this.#log.debug(fields, message)
      return
    }
    // Messages are constants of this code, so these are few.
    this.#sources.set(source, { loggedAt: now, suppressed: 0 })
    const { suppressed } = known ?? { suppressed: 0 }
    this.#log[level](suppressed === 0 ? fields : { ...fields, suppressed }, message)
  }
}

const QUIET_MS = 10_000
