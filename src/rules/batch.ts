import type { Run } from '../model/ports/store-requests.js'
import { judge, type ProbePreconditions } from './breaker.js'
import type { Circuit, Step } from './circuit.js'
import type { BatchContext } from './closed.js'
import type { Judged } from './judged.js'
import { beginReport, endReport } from './quorum.js'

/** A batch after it was judged: the circuit, what is announced, and what became of each run. */
export interface JudgedBatch extends Step {
  readonly runs: readonly Judged[]
}

/**
 * Judges the outcomes of one process in their order. With a quorum, the process is heard before them, and what it doubts may
 * open the circuit after them.
 */
export function judgeBatch(
  circuit: Circuit,
  runs: readonly Run[],
  preconditions: ProbePreconditions,
  context: BatchContext,
): JudgedBatch {
  const { jitterDraw, reporter } = context
  const { breaker: settings } = preconditions
  let step: Step =
    reporter === null ? { circuit, events: [] } : beginReport(circuit, reporter, runs, settings)
  const each: Judged[] = []
  for (const run of runs) {
    const judged = judge(step.circuit, run, preconditions, context)
    each.push(judged)
    step = { circuit: judged.circuit, events: [...step.events, ...judged.events] }
  }
  if (reporter === null) return { ...step, runs: each }
  const ended = endReport(step.circuit, reporter, runs, { settings, jitterDraw })
  return { circuit: ended.circuit, events: [...step.events, ...ended.events], runs: each }
}
