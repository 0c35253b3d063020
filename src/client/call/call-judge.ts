import { CallTimeoutError } from '../../model/errors.js'
import type { Outcome } from '../../model/words.js'
import type { Judged } from './call.js'
import { classifyError, classifyResult, readVerdict, type Classify, type Judgement } from './classify.js'
import type { ProcessContext } from '../context.js'
import { STALL_SHARE } from '../shared/loop-watch.js'
import { VerdictCheck } from './verdict-check.js'

/** When a call began, and how long it may take. */
export interface Timing {
  /** Of `LoopWatch`. */
  readonly mark: number
  /** ms; undefined where it was not measured, and nothing is slow then. */
  readonly elapsedMs?: number | undefined
  readonly timeoutMs?: number | undefined
}

/**
 * Judges the calls of one provider in this process: the user's `classify`, then the table, then how long it took. It tells
 * the log what a program is to mend. No method throws, whatever a call returned or threw.
 */
export class CallJudge {
  readonly #context: ProcessContext
  readonly #providerId: string
  readonly #slowMs: () => number | undefined
  readonly #verdicts: VerdictCheck
  #classify: Classify | undefined
  #bugLogged = false
  /** Calls that ended in success with nothing to be judged. */
  plain = 0
  #judged = 0
  /** The minute in which aborts are compared with all calls. */
  #minute = { began: 0, calls: 0, aborted: 0 }
  #abortsLogged = false

  constructor(
    context: ProcessContext,
    providerId: string,
    classify: Classify | undefined,
    slowMs: () => number | undefined,
  ) {
    this.#context = context
    this.#providerId = providerId
    this.#classify = classify
    this.#slowMs = slowMs
    this.#verdicts = new VerdictCheck(context, providerId)
  }

  get classify(): Classify | undefined {
    return this.#classify
  }

  set classify(classify: Classify | undefined) {
    if (classify !== this.#classify) this.#verdicts.renew()
    this.#classify = classify
  }

  result(result: unknown, { answer }: Judged, timing: Timing): Judgement {
    const seen = answer === undefined ? result : answer.value
    return this.#noted(this.#askUser(seen, undefined) ?? this.#slow(this.#ofResult(seen), timing))
  }

  error(error: unknown, { answer }: Judged, timing: Timing): Judgement {
    if (isCallTimeout(error)) {
      const judgement: Judgement = { outcome: 'timeout', detail: `no result within ${error.timeoutMs} ms` }
      return this.#noted(this.#timedOut(judgement, timing))
    }
    const said = this.#askUser(undefined, error)
    if (said !== undefined) return this.#noted(said)
    // What came before the error was no success: it says more than the parser that stumbled over it.
    const judged = answer === undefined ? undefined : this.#ofResult(answer.value)
    if (judged !== undefined && judged.outcome !== 'healthy') return this.#noted(judged)
    const found = this.#readSafely({ outcome: 'unhealthy' }, () => classifyError(error))
    if (found.because === 'bug') this.#onBug(error)
    return this.#noted(this.#timedOut(found, timing))
  }

  /** How an error would be judged, for those who see the error alone. Notes nothing. */
  outcomeOf(error: unknown): Outcome {
    const said = this.#askUser(undefined, error)
    return (said ?? this.#readSafely({ outcome: 'unhealthy' }, () => classifyError(error))).outcome
  }

  /** Of a call that its caller ended. */
  abortion(judgement: Judgement, timing: Timing): Judgement {
    return this.#noted(this.#timedOut(judgement, timing))
  }

  #ofResult(seen: unknown): Judgement {
    return this.#readSafely({ outcome: 'healthy' }, () => classifyResult(seen))
  }

  #slow(judgement: Judgement, { mark, elapsedMs }: Timing): Judgement {
    const slowMs = this.#slowMs()
    if (slowMs === undefined || elapsedMs === undefined) return judgement
    if (judgement.outcome !== 'healthy' || elapsedMs <= slowMs) return judgement
    const { stalledMs } = this.#context.calls.loop.since(mark)
    return stalledMs >= STANDSTILL_MS && elapsedMs - stalledMs <= slowMs ? STALLED : { outcome: 'degraded' }
  }

  /** A client's own time limit is not known: it is taken to be as long as the call lasted. */
  #timedOut(judgement: Judgement, { mark, timeoutMs }: Timing): Judgement {
    if (judgement.outcome !== 'timeout') return judgement
    const { stalledMs, elapsedMs } = this.#context.calls.loop.since(mark)
    const limitMs = timeoutMs ?? elapsedMs
    return stalledMs >= STANDSTILL_MS && stalledMs > limitMs * STALL_SHARE ? STALLED : judgement
  }

  #noted(judgement: Judgement): Judgement {
    this.#judged += 1
    if (judgement.because === 'stalled') this.#context.counters.callsStalled += 1
    if (judgement.because !== 'aborted') return judgement
    this.#onAbort()
    return ABORTED
  }

  #onBug(error: unknown): void {
    if (this.#bugLogged) return
    this.#bugLogged = true
    this.#context.log.error(
      { err: error, provider: this.#providerId },
      'a call ended with a bug of the program: it says nothing of the provider, and is ignored',
    )
  }

  /** A program that uses aborts as its time limit: a dead provider would never be seen. */
  #onAbort(): void {
    const now = this.#context.clock.now()
    const calls = this.plain + this.#judged
    const { began, aborted } = this.#minute
    if (now - began < MINUTE_MS && aborted > 0) {
      this.#minute.aborted += 1
      return
    }
    const all = calls - this.#minute.calls
    const most = aborted >= LEAST_ABORTS && aborted > all / 2
    this.#minute = { began: now, calls, aborted: 1 }
    if (!most || this.#abortsLogged) return
    this.#abortsLogged = true
    this.#context.log.warn(
      { provider: this.#providerId, aborted, calls: all },
      'most calls of a minute were aborted, which says nothing of the provider: give execute a timeoutMs',
    )
  }

  /** Reads an object of the user's, whose getters may throw: that is no reason to give the caller another error. */
  #readSafely(otherwise: Judgement, read: () => Judgement): Judgement {
    try {
      return read()
    } catch (failure) {
      const { counters, log } = this.#context
      counters.callbacksFailed += 1
      log.warn(
        { err: failure, provider: this.#providerId },
        'what a call returned or threw could not be read',
      )
      return otherwise
    }
  }

  #askUser(result: unknown, error: unknown): Judgement | undefined {
    if (this.#classify === undefined) return undefined
    try {
      const said: unknown = this.#classify(result, error)
      this.#verdicts.check(said)
      return readVerdict(said)
    } catch (failure) {
      this.#context.counters.callbacksFailed += 1
      this.#context.log.error({ err: failure, provider: this.#providerId }, 'classify failed')
      return undefined
    }
  }
}

/** One word for the abort of any client: `doctor` goes by it. */
const ABORTED: Judgement = { outcome: 'ignored', because: 'aborted', detail: 'aborted' }
const STALLED: Judgement = { outcome: 'ignored', because: 'stalled', detail: 'event loop stalled' }
/** A loop that stands still for less than this, ms, is merely busy. */
const STANDSTILL_MS = 100
const MINUTE_MS = 60_000
const LEAST_ABORTS = 5

function isCallTimeout(error: unknown): error is CallTimeoutError {
  try {
    return error instanceof CallTimeoutError
  } catch {
    return false // a proxy that cannot be looked at is none
  }
}
