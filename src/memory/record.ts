import type { RecordResult } from '../model/ports/store-replies.js'
import type { RecordRequest, Run } from '../model/ports/store-requests.js'
import { isHealthStatus } from '../model/words.js'
import { nextSlot } from '../rules/backpressure.js'
import { judgeBatch } from '../rules/batch.js'
import type { Circuit } from '../rules/circuit.js'
import type { BatchContext } from '../rules/closed.js'
import { forgetFailuresBefore } from '../rules/counters.js'
import { UNTRIED } from '../rules/domains.js'
import { append, beginBatch, endBatch } from '../rules/history.js'
import type { Reporter } from '../rules/quorum.js'
import { suspectOutage } from '../rules/suspicion.js'
import { dropExpiredTrials } from '../rules/trials.js'
import { tallyBatch } from '../rules/worker-tallies.js'
import { type MemoryProvider, type Written } from './provider.js'

/** Applies a batch of outcomes, unless it was applied before. */
export function record(
  provider: MemoryProvider,
  circuit: Circuit,
  request: RecordRequest,
): Written<RecordResult> {
  const begun = afterOutage(provider, circuit, request)
  const last = provider.batches.get(request.incarnation)
  if (last !== undefined && request.sequence <= last) return repeat(begun, request)
  // The store no longer knows this incarnation, so it cannot say whether the batch was applied when it was first sent.
  // Generation 0 takes it into the history, and lets it decide nothing.
  const forgotten = last === undefined && request.resent
  const { nextSlotUs, waitMs, urgentShare } = nextSlot(begun.nextSlotUs, begun.lastNowMs, request)
  const runs = forgotten ? request.runs.map((run) => ({ ...run, generation: 0 })) : request.runs
  const context = { jitterDraw: request.jitterDraw, reporter: reporterOf(provider, request, waitMs) }
  const { step, outdated, dropped } = judgeRuns(provider, dropExpiredTrials(begun), runs, context)
  provider.batches.set(request.incarnation, request.sequence)
  const newest = request.runs.at(-1)
  const pressed = newest !== undefined && !forgotten && waitMs > request.flushIntervalMs
  const suspected = pressed ? suspectOutage(step.circuit, newest, provider.settings.breaker) : step.circuit
  const counted =
    request.viewed === true && !forgotten
      ? tallyBatch(suspected, provider.workers, request.worker, request.runs)
      : suspected
  return {
    step: { circuit: { ...counted, nextSlotUs }, events: step.events },
    extra: { duplicate: false, outdated, dropped, waitMs, urgentShare },
  }
}

/** A batch that was applied before costs nothing: it reserves no slot. */
function repeat(circuit: Circuit, request: RecordRequest): Written<RecordResult> {
  const { waitMs, urgentShare } = nextSlot(circuit.nextSlotUs, circuit.lastNowMs, request)
  return {
    step: { circuit, events: [] },
    extra: { duplicate: true, outdated: 0, dropped: 0, waitMs, urgentShare },
  }
}

/** The process as a quorum sees it; null where none is set. */
const reporterOf = (
  { settings }: MemoryProvider,
  request: RecordRequest,
  pauseMs: number,
): Reporter | null =>
  settings.breaker.quorum === 1
    ? null
    : {
        process: request.incarnation,
        worker: request.worker,
        domain: (request.tried === true ? request.failureDomain : undefined) ?? UNTRIED,
        own: { failures: request.ownFailures ?? 0, sinceMs: request.ownSinceMs ?? 0 },
        pauseMs,
      }

/** Judges the runs, and writes them into the history. */
function judgeRuns(provider: MemoryProvider, circuit: Circuit, runs: readonly Run[], context: BatchContext) {
  const { history, settings, revision: settingsRevision } = provider
  const { breaker, probe = null } = settings
  const { lastNowMs } = circuit
  const preconditions = { settingsRevision, breaker, probe, windowMs: settings.history.windowMs }
  const { runs: judged, ...step } = judgeBatch(circuit, runs, preconditions, context)
  let outdated = 0
  let dropped = 0
  let addedRuns = false
  beginBatch(history, lastNowMs, settings.history)
  for (const [at, { outcome: status, count, ageMs }] of runs.entries()) {
    outdated += judged[at]?.outdated ?? 0
    if (judged[at]?.dropped === true) dropped += count
    else if (isHealthStatus(status))
      addedRuns = append(history, { status, count, ageMs }, lastNowMs, settings.history) || addedRuns
  }
  endBatch(history, addedRuns, settings.history)
  return { step, outdated, dropped }
}

/** A caller that lost the store may end the counts of failures in a row; see `forgetFailuresBefore`. */
const afterOutage = (found: MemoryProvider, circuit: Circuit, { lostMsAgo }: RecordRequest): Circuit =>
  lostMsAgo === null
    ? circuit
    : forgetFailuresBefore(circuit.lastNowMs - lostMsAgo, circuit, found.circuit.lastNowMs)
