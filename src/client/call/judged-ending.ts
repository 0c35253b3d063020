import type { ProcessContext } from '../context.js'
import type { CallJudge } from './call-judge.js'
import type { CallObserver } from './call-observer.js'
import { PlainContext, UNTIMED, type Call, type Judged } from './call.js'
import type { Judgement, Verdict } from './classify.js'
import { endingOf, type CallOutcome } from './execute.js'
import type { OutcomeSink } from './outcome-sink.js'

export interface JudgedEndingParts {
  readonly context: ProcessContext
  /** Of the provider. */
  readonly id: string
  readonly judge: CallJudge
  readonly observer: CallObserver
  readonly sink: OutcomeSink
}

/** Ends the calls that a closed circuit admitted on the spot and that are no plain success: judges, observes, and sends. */
export class JudgedEnding {
  readonly #parts: JudgedEndingParts

  constructor(parts: JudgedEndingParts) {
    this.#parts = parts
  }

  /** Nothing is slow where no `slowMs` says so, and no clock was read. Never rejects; see `#end`. */
  async returned(result: unknown, context: Judged, began = UNTIMED): Promise<Judgement> {
    const { mark } = context
    const { clock } = this.#parts.context
    const timing = began === UNTIMED ? { mark } : { mark, elapsedMs: clock.now() - began }
    const judgement = this.#parts.judge.result(result, context, timing)
    await this.#end(judgement, context)
    return judgement
  }

  /** Never rejects; see `#end`. */
  async threw(error: unknown, context: PlainContext | Call, ended?: CallOutcome): Promise<Judgement> {
    const { judge } = this.#parts
    const call = context instanceof PlainContext ? undefined : context
    call?.end()
    const timing = { mark: context.mark, timeoutMs: call?.timeoutMs }
    const abortion = call?.abortion
    const judgement =
      abortion === undefined ? judge.error(error, context, timing) : judge.abortion(abortion, timing)
    if (ended !== undefined) ended.judgement = judgement
    await this.#end(judgement, context)
    return judgement
  }

  /**
   * An outcome that trips the circuit is known before the call ends. Never rejects: the caller gets its own result or error, and
   * an outcome that cannot be written is counted and logged where it is given up.
   */
  async #end(verdict: Verdict, call: Judged): Promise<void> {
    const { context, id, observer, sink } = this.#parts
    if (context.observers.on) observer.end(verdict.outcome, call)
    try {
      await sink.end(endingOf(verdict), call.generation)
    } catch (error) {
      context.log.debug({ err: error, provider: id }, 'an outcome could not be written yet')
    } finally {
      context.calls.end()
    }
  }
}
