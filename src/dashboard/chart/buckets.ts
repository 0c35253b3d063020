import type { HistoryEntry } from '../../model/snapshot.js'

/** Outcomes of a span of time. */
export interface Bucket {
  /** Where it begins, Redis ms. */
  readonly at: number
  readonly healthy: number
  readonly degraded: number
  /** Unhealthy, timeout and terminated; and what a later version may add. */
  readonly failed: number
}

/** A span of time, Redis ms. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * The history in `count` buckets of equal width. It is kept in runs of equal outcomes, of which only the beginning has a
 * time: the outcomes of a run are spread evenly until the next one begins. O(history + buckets per run).
 */
export function bucketsOf(history: readonly HistoryEntry[], { from, to }: Span, count: number): Bucket[] {
  const width = Math.max(1, to - from) / count
  const buckets = Array.from({ length: count }, (_, at) => ({
    ...{ at: from + at * width, healthy: 0, degraded: 0, failed: 0 },
  }))
  history.forEach((run, at) => {
    const end = Math.max(run.at, history[at + 1]?.at ?? to)
    const steps = Math.min(run.count, Math.ceil((end - run.at) / width) + 1)
    for (let step = 0; step < steps; step += 1) {
      const moment = run.at + ((end - run.at) * step) / steps
      const bucket = buckets[Math.floor((moment - from) / width)]
      if (bucket !== undefined) bucket[columnOf(run.status)] += run.count / steps
    }
  })
  return buckets
}

const columnOf = (status: string): 'healthy' | 'degraded' | 'failed' =>
  status === 'healthy' || status === 'degraded' ? status : 'failed'

export const totalOf = ({ healthy, degraded, failed }: Bucket): number => healthy + degraded + failed
