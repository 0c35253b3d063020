import type { Clock } from '../../model/ports/time.js'
import type { ProbeFinding } from '../../model/probe.js'
import type { Finding } from './explain.js'
import { messageOf } from './within.js'

/**
 * Measures a probe; what was healthy and took longer than `degradedMs` is degraded. Never rejects: what `work` throws is a
 * fault of this worker, and a rejection would keep the lease of a trial.
 */
export async function timed(
  { degradedMs }: { readonly degradedMs?: number },
  work: () => Promise<Finding>,
  clock: Clock = performance,
): Promise<ProbeFinding> {
  const startedAt = clock.now()
  const finding = await settle(work)
  const elapsedMs = Math.round(clock.now() - startedAt)
  if ('prober' in finding) return finding
  if (finding.status === 'healthy' && degradedMs !== undefined && elapsedMs > degradedMs)
    return { status: 'degraded', detail: `${finding.detail} after ${elapsedMs} ms`, elapsedMs }
  return { ...finding, elapsedMs }
}

async function settle(work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work()
  } catch (error) {
    return { prober: true, reason: `the probe failed within this worker: ${messageOf(error)}` }
  }
}
