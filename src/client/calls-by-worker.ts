import type { KnownReply, ViewResult } from '../model/ports/store-replies.js'
import { OTHER_WORKERS, type WorkerTally } from '../model/worker-tally.js'

/** How the calls of one worker to one provider ended. */
export interface WorkerCalls {
  readonly worker: string
  readonly calls: number
  readonly failures: number
  /** Calls that have failed since the last that did not. */
  readonly inARow: number
  /** How long ago the last of them was applied, ms. */
  readonly lastAgoMs: number
}

/** How the calls to one provider ended, by the worker that made them. */
export interface CallsByWorker {
  /** For how long they have been counted, ms: since somebody began to ask. */
  readonly countedForMs: number
  readonly workers: readonly WorkerCalls[]
  /** The workers beyond the first 500, together; null where there are none. */
  readonly others: { readonly calls: number; readonly failures: number } | null
}

/** As the store told it just now. */
export function callsByWorker({ nowMs, sinceMs, tallies }: KnownReply<ViewResult>): CallsByWorker {
  const others = tallies.find(({ worker }) => worker === OTHER_WORKERS)
  return {
    countedForMs: nowMs - sinceMs,
    workers: tallies.filter((tally) => tally !== others).map((tally) => ofWorker(tally, nowMs)),
    others: others === undefined ? null : { calls: others.calls, failures: others.failures },
  }
}

const ofWorker = ({ lastAt, ...tally }: WorkerTally, nowMs: number): WorkerCalls => ({
  ...tally,
  lastAgoMs: nowMs - lastAt,
})
