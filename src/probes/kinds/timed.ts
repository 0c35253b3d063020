import type { Clock } from '../../model/ports.js'
import type { ProbeFinding } from '../../model/probe.js'
import type { Finding } from './explain.js'

/** Measures a probe; what was healthy and took longer than `degradedMs` is degraded. */
export async function timed(
  { degradedMs }: { readonly degradedMs?: number },
  work: () => Promise<Finding>,
  clock: Clock = performance,
): Promise<ProbeFinding> {
  const startedAt = clock.now()
  const finding = await work()
  const elapsedMs = Math.round(clock.now() - startedAt)
  if ('prober' in finding) return finding
  if (finding.status === 'healthy' && degradedMs !== undefined && elapsedMs > degradedMs)
    return { status: 'degraded', detail: `${finding.detail} after ${elapsedMs} ms`, elapsedMs }
  return { ...finding, elapsedMs }
}
