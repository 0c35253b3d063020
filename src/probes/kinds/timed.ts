import type { Clock } from '../../model/ports/time.js'
import type { ProbeFinding } from '../../model/probe.js'
import type { UntimedFinding } from './explain.js'
import { messageOf } from './within.js'

/**
 * Measures a probe; what was healthy and took longer than `degradedMs` is degraded. Never rejects: what `work` throws is a
 * fault of this worker, and a rejection would keep the lease of a trial.
 */
export async function timed(
  { degradedMs }: { readonly degradedMs?: number },
  work: () => Promise<UntimedFinding>,
  clock: Clock = performance,
): Promise<ProbeFinding> {
  const startedAt = clock.now()
  const finding = await settle(work)
  const elapsedMs = Math.round(clock.now() - startedAt)
  if (finding.kind === 'prober_error') return finding
  if (finding.status === 'healthy' && degradedMs !== undefined && elapsedMs > degradedMs) {
    const detail = `${finding.detail} after ${elapsedMs} ms`
    return { kind: 'judged', status: 'degraded', detail, elapsedMs }
  }
  return { ...finding, elapsedMs }
}

async function settle(work: () => Promise<UntimedFinding>): Promise<UntimedFinding> {
  try {
    return await work()
  } catch (error) {
    return { kind: 'prober_error', reason: `the probe failed within this worker: ${messageOf(error)}` }
  }
}
