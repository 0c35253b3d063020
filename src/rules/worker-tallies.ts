import type { Run } from '../model/ports/store-requests.js'
import { isCircuitOutcome, isSuccess } from '../model/words.js'
import { byWorker, OTHER_WORKERS, type WorkerTally } from '../model/worker-tally.js'
import { bumpVersion, type Circuit } from './circuit.js'

/**
 * The calls of each worker, counted while somebody looks at them: within a lease of 30 s, which each look prolongs. The same
 * rules as `lua/lib/worker_tally.lua` and `lua/lib/worker_view.lua`.
 *
 * Two stretches of 30 s are kept of each worker, the present one and the one before; a reader is told their sum. The first
 * 500 workers have a tally of their own, all others one together.
 */
export interface Stretches {
  readonly sinceMs: number
  readonly calls: number
  readonly failures: number
  readonly callsBefore: number
  readonly failuresBefore: number
  /** Calls that have failed since the last that did not. */
  readonly inARow: number
  readonly lastAt: number
}
export type WorkerTallies = Map<string, Stretches>

const LEASE_MS = 30_000
const RENEW_BELOW_MS = 20_000
const STRETCH_MS = 30_000
const MAX_WORKERS = 500

/** Takes the lease, or prolongs it. One that has run out leaves nothing behind; the begin of a new one is announced. */
export function look(circuit: Circuit, tallies: WorkerTallies): Circuit {
  const { lastNowMs: nowMs, viewedUntilMs } = circuit
  if (viewedUntilMs - nowMs > RENEW_BELOW_MS) return circuit
  const prolonged = { ...circuit, viewedUntilMs: nowMs + LEASE_MS }
  if (viewedUntilMs > nowMs) return prolonged
  tallies.clear()
  return { ...bumpVersion(prolonged), viewedSinceMs: nowMs }
}

/** Of the last 30 to 60 s. Workers that have been silent for so long are forgotten. */
export function readTallies(tallies: WorkerTallies, nowMs: number): WorkerTally[] {
  const found: WorkerTally[] = []
  for (const [worker, kept] of tallies) {
    const at = stretchesAt(kept, nowMs)
    const calls = at.calls + at.callsBefore
    if (calls === 0) tallies.delete(worker)
    else {
      const { failures, failuresBefore, inARow, lastAt } = at
      found.push({ worker, calls, failures: failures + failuresBefore, inARow, lastAt })
    }
  }
  return found.sort(byWorker)
}

/** Counts the calls of a batch. The first batch after the end of the lease announces that end, and counts nothing. */
export function tallyBatch(
  circuit: Circuit,
  tallies: WorkerTallies,
  worker: string,
  runs: readonly Run[],
): Circuit {
  const { lastNowMs: nowMs, viewedUntilMs } = circuit
  if (viewedUntilMs === 0) return circuit
  if (viewedUntilMs <= nowMs) return bumpVersion({ ...circuit, viewedUntilMs: 0, viewedSinceMs: 0 })
  const name = tallies.has(worker) || tallies.size < MAX_WORKERS ? worker : OTHER_WORKERS
  const before = stretchesAt(tallies.get(name), nowMs)
  const { calls, failures, inARow } = countBatch(runs, before.inARow)
  if (calls === 0) return circuit
  tallies.set(name, {
    ...before,
    calls: before.calls + calls,
    failures: before.failures + failures,
    inARow,
    lastAt: nowMs,
  })
  return circuit
}

/** A run that waited for the store to come back is not of now. */
function countBatch(runs: readonly Run[], before: number) {
  let [calls, failures, inARow] = [0, 0, before]
  for (const { origin, outcome, count, ageMs } of runs) {
    if (origin !== 'call' || outcome === 'ignored' || ageMs >= STRETCH_MS) continue
    calls += count
    const failed = isCircuitOutcome(outcome) && !isSuccess(outcome)
    if (failed) failures += count
    inARow = failed ? inARow + count : 0
  }
  return { calls, failures, inARow }
}

function stretchesAt(kept: Stretches | undefined, nowMs: number): Stretches {
  const oldMs = kept === undefined ? Infinity : nowMs - kept.sinceMs
  if (kept === undefined || oldMs >= 2 * STRETCH_MS) return { ...NOTHING, sinceMs: nowMs, lastAt: nowMs }
  if (oldMs < STRETCH_MS) return kept
  const { calls: callsBefore, failures: failuresBefore, sinceMs } = kept
  return { ...kept, sinceMs: sinceMs + STRETCH_MS, calls: 0, failures: 0, callsBefore, failuresBefore }
}

const NOTHING = { calls: 0, failures: 0, callsBefore: 0, failuresBefore: 0, inARow: 0 }
