import { isLockedOut, isProviderTrouble, redisFailure } from '../../model/errors.js'
import type { Level, Logger } from '../shared/log.js'
import type { Timer } from '../../model/ports/time.js'
import { Repeats } from '../shared/repeats.js'
import { SYSTEM_TIME, type ProcessTime } from '../shared/time.js'

/**
 * What a process says of Redis: one line when an outage begins, and one when it ends.
 *
 * Connections, queues and timers each notice an outage by themselves, again and again, in words that alternate. So every
 * part of Busbar logs through this, and while an outage lasts its lines are counted by their message; they are logged at
 * `debug`, and the last line of the outage has the counts. Transitions of circuits and errors of the user's own code are
 * logged as ever; what is no part of the outage waits for its end.
 *
 * - `calm`       lines pass; the same error of one source is logged once in 10 s, see `Repeats`. An error of Redis waits
 *                `HOLD_MS` first: it may be the first sign of an outage, and is part of it then.
 * - `out`        the store is lost. The first line waits up to `HOLD_MS` too: a refused reconnection says why.
 * - `settling`   the store is back. It may be lost again at once, and that is the same outage; else the last line follows.
 *
 *     calm -> out <-> settling -> calm
 *
 * It trades a delay of lines, half a second at the beginning and some at the end, for not having more of them.
 */
export class OutageLog implements Logger {
  readonly #log: Logger
  readonly #time: ProcessTime
  readonly #repeats: Repeats
  #outage: Outage | undefined
  #held: Line[] = []
  #holding: Timer | undefined

  constructor(log: Logger, time = SYSTEM_TIME) {
    this.#log = log
    this.#time = time
    this.#repeats = new Repeats(log, time.clock)
  }

  debug(fields: object, message: string): void {
    this.#log.debug(fields, message)
  }

  info(fields: object, message: string): void {
    this.#line({ level: 'info', fields, message })
  }

  warn(fields: object, message: string): void {
    this.#line({ level: 'warn', fields, message })
  }

  error(fields: object, message: string): void {
    this.#log.error(fields, message)
  }

  /** The store is lost. `error`: why. */
  lost(error: unknown): void {
    const outage = this.#outage
    if (outage === undefined) this.#begin(error)
    else {
      outage.settling?.clear()
      outage.settling = undefined
      outage.flapped += 1
      this.learn(error)
    }
  }

  /** Another failure while the store is lost: it may say more than the first did. */
  learn(error: unknown): void {
    const outage = this.#outage
    if (outage === undefined || outage.how === 'locked_out' || error === undefined) return
    // `ECONNREFUSED` says more.
    if (outage.saying !== undefined && outage.reason === 'not connected') outage.reason = wordsOf(error)
    if (!isLockedOut(error)) return
    outage.how = 'locked_out'
    outage.reason = wordsOf(error)
    // Waiting does not end this one: the person who can end it has to know.
    if (outage.saying === undefined) this.#log.warn({ reason: outage.reason }, SAID.locked_out.began)
  }

  /** The store is back. */
  restored(): void {
    const outage = this.#outage
    if (outage === undefined) return
    outage.restoredAt = this.#time.clock.now()
    const settleMs = outage.flapped === 0 ? SETTLE_MS : SETTLE_AFTER_FLAPPING_MS
    outage.settling = this.#time.timers.set(settleMs, () => this.#end(outage)).unref()
  }

  /** Closed: what waits is logged now. */
  stop(): void {
    const outage = this.#outage
    this.#release()
    if (outage === undefined) return
    if (outage.settling !== undefined) this.#end(outage)
    else this.#say(outage)
    this.#outage = undefined
  }

  #line(line: Line): void {
    // Only transitions have a generation: each is logged, by the process that made it.
    if ('generation' in line.fields) this.#pass(line)
    else if (this.#outage !== undefined) this.#during(this.#outage, line)
    else if (redisFailure(errorOf(line)) === undefined) this.#pass(line)
    else this.#hold(line)
  }

  #during(outage: Outage, line: Line): void {
    if (isOfOneProvider(line)) this.#held.push(line)
    else this.#suppress(outage, line)
    this.learn(errorOf(line))
  }

  #pass(line: Line): void {
    if (REPEATED.some((field) => field in line.fields)) this.#repeats.log(line)
    else this.#log[line.level](line.fields, line.message)
  }

  #hold(line: Line): void {
    this.#held.push(line)
    this.#holding ??= this.#time.timers.set(HOLD_MS, () => this.#release()).unref()
  }

  #release(): void {
    this.#holding?.clear()
    this.#holding = undefined
    for (const line of this.#held.splice(0)) this.#pass(line)
  }

  #begin(error: unknown): void {
    const outage: Outage = {
      since: new Date(this.#time.wallClock.now()).toISOString(),
      lostAt: this.#time.clock.now(),
      restoredAt: 0,
      reason: wordsOf(error),
      how: howOf(error),
      flapped: 0,
      suppressed: new Map(),
      saying: undefined,
      settling: undefined,
    }
    this.#outage = outage
    this.#holding?.clear()
    this.#holding = undefined
    outage.saying = this.#time.timers.set(HOLD_MS, () => this.#say(outage)).unref()
    for (const line of this.#held.splice(0)) this.#during(outage, line)
    // An answer of Redis needs no better words.
    if ((redisFailure(error) ?? 'unanswered') !== 'unanswered') this.#say(outage)
  }

  #suppress({ suppressed }: Outage, { fields, message }: Line): void {
    suppressed.set(message, (suppressed.get(message) ?? 0) + 1)
    this.#log.debug(fields, message)
  }

  #say(outage: Outage): void {
    if (outage.saying === undefined) return
    outage.saying.clear()
    outage.saying = undefined
    const { reason, since } = outage
    this.#log.warn({ reason, since }, `${SAID[outage.how].began}: deciding without it`)
  }

  #end(outage: Outage): void {
    this.#outage = undefined
    this.#say(outage)
    const { lostAt, restoredAt, flapped, suppressed } = outage
    const fields = {
      outageMs: Math.round(restoredAt - lostAt),
      ...(flapped === 0 ? {} : { flapped }),
      ...(suppressed.size === 0 ? {} : { suppressed: Object.fromEntries(suppressed) }),
    }
    this.#log.info(fields, SAID[outage.how].ended)
    this.#release()
  }
}

interface Line {
  readonly level: Extract<Level, 'info' | 'warn'>
  readonly fields: object
  readonly message: string
}

interface Outage {
  /** ISO 8601, by this machine's clock. */
  readonly since: string
  readonly lostAt: number
  restoredAt: number
  reason: string
  how: keyof typeof SAID
  /** How often the store was back and lost again at once. */
  flapped: number
  /** Lines that were not logged, by their message. */
  readonly suppressed: Map<string, number>
  /** Until the first line is logged. */
  saying: Timer | undefined
  /** Until the last line is logged. */
  settling: Timer | undefined
}

const errorOf = ({ fields }: Line): unknown => Reflect.get(fields, 'err')

/** Trouble that an outage has not made, and does not end. */
const isOfOneProvider = (line: Line): boolean =>
  'cutOffMs' in line.fields ||
  // Said once, of what is stored: it would be lost with the outage.
  'problem' in line.fields ||
  (errorOf(line) !== undefined && isProviderTrouble(errorOf(line)))

const SAID = {
  away: { began: 'Redis does not answer', ended: 'Redis answers again' },
  refuses_writes: { began: 'Redis refuses writes', ended: 'Redis takes writes again' },
  locked_out: { began: 'Redis does not let this process in', ended: 'Redis lets this process in again' },
} as const

function howOf(error: unknown): keyof typeof SAID {
  if (isLockedOut(error)) return 'locked_out'
  return redisFailure(error) === 'refuses_writes' ? 'refuses_writes' : 'away'
}

/** Lines with these fields come in numbers: of errors, and of providers that are served again together. */
const REPEATED = ['err', 'cutOffMs']
const HOLD_MS = 500
/** A store that is back for so long, ms, is back. */
const SETTLE_MS = 1_500
const SETTLE_AFTER_FLAPPING_MS = 5_000

/** Why, without the command that found out. */
export function wordsOf(error: unknown): string {
  const reason = redisFailure(error) !== undefined && error instanceof Error ? error.cause : error
  return reason instanceof Error ? reason.message : String(reason)
}
