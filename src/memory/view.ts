import type { ViewResult } from '../model/ports/store-replies.js'
import type { Circuit } from '../rules/circuit.js'
import { look, readTallies } from '../rules/worker-tallies.js'
import type { MemoryProvider, Written } from './provider.js'

/** Somebody looks at the calls of each worker. */
export function viewWorkers({ workers }: MemoryProvider, before: Circuit): Written<ViewResult> {
  const circuit = look(before, workers)
  const tallies = readTallies(workers, circuit.lastNowMs)
  return { step: { circuit, events: [] }, extra: { sinceMs: circuit.viewedSinceMs, tallies } }
}
