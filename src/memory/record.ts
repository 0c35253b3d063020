import type { RecordResult } from '../model/ports/store-replies.js'
import type { RecordRequest } from '../model/ports/store-requests.js'
import { isHealthStatus } from '../model/words.js'
import { nextSlot } from '../rules/backpressure.js'
import { judge } from '../rules/breaker.js'
import type { Circuit, Step } from '../rules/circuit.js'
import { forgetFailuresBefore } from '../rules/counters.js'
import { append, beginBatch, endBatch } from '../rules/history.js'
import { suspectOutage } from '../rules/suspicion.js'
import { dropExpiredTrials } from '../rules/trials.js'
import { andThen, type MemoryProvider, type Written } from './provider.js'

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
  const { step, late, dropped } = judgeRuns(provider, dropExpiredTrials(begun), request, forgotten)
  provider.batches.set(request.incarnation, request.sequence)
  const { nextSlotUs, waitMs, urgentShare } = nextSlot(
    step.circuit.nextSlotUs,
    step.circuit.lastNowMs,
    request,
  )
  const newest = request.runs.at(-1)
  const pressed = newest !== undefined && !forgotten && waitMs > request.flushIntervalMs
  const suspected = pressed ? suspectOutage(step.circuit, newest, provider.settings.breaker) : step.circuit
  return {
    step: { circuit: { ...suspected, nextSlotUs }, events: step.events },
    extra: { duplicate: false, late, dropped, waitMs, urgentShare },
  }
}

/** A batch that was applied before costs nothing: it reserves no slot. */
function repeat(circuit: Circuit, request: RecordRequest): Written<RecordResult> {
  const { waitMs, urgentShare } = nextSlot(circuit.nextSlotUs, circuit.lastNowMs, request)
  return {
    step: { circuit, events: [] },
    extra: { duplicate: true, late: 0, dropped: 0, waitMs, urgentShare },
  }
}

/** Judges each run, and then writes it into the history: the trip rules judge by what came before the run. */
function judgeRuns(provider: MemoryProvider, circuit: Circuit, request: RecordRequest, forgotten: boolean) {
  const { history, settings, revision: settingsRevision } = provider
  const { breaker, probe = null } = settings
  const { lastNowMs } = circuit
  const preconditions = { settingsRevision, breaker, probe, windowMs: settings.history.windowMs }
  let step: Step = { circuit, events: [] }
  let late = 0
  let dropped = 0
  let addedRuns = false
  beginBatch(history, lastNowMs, settings.history)
  for (const run of request.runs) {
    const judged = judge(
      step.circuit,
      forgotten ? { ...run, generation: 0 } : run,
      preconditions,
      request.jitterDraw,
    )
    step = andThen(step, judged)
    late += judged.late
    const { outcome: status, count, ageMs } = run
    if (judged.dropped) dropped += count
    else if (isHealthStatus(status))
      addedRuns = append(history, { status, count, ageMs }, lastNowMs, settings.history) || addedRuns
  }
  endBatch(history, addedRuns, settings.history)
  return { step, late, dropped }
}

/** A caller that lost the store may end the counts of failures in a row; see `forgetFailuresBefore`. */
const afterOutage = (found: MemoryProvider, circuit: Circuit, { lostMsAgo }: RecordRequest): Circuit =>
  lostMsAgo === null
    ? circuit
    : forgetFailuresBefore(circuit.lastNowMs - lostMsAgo, circuit, found.circuit.lastNowMs)
