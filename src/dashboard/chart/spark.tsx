import { useEffect, useMemo, useState } from 'preact/hooks'
import type { HistoryEntry } from '../../model/snapshot.js'
import type { ProviderView } from '../../view/provider-view.js'
import { useStores } from '../store/hooks.js'
import { RUNS } from '../store/histories.js'
import { bucketsOf, totalOf, type Bucket } from './buckets.js'

const NONE: readonly HistoryEntry[] = []
const COUNT = 24
const HEIGHT = 20
const STEP = 4

/** The outcomes of the window of a provider: a bar for each 24th of it, what failed at its foot. Its words are in the row. */
export function Spark({ view, now }: { view: ProviderView; now: number }) {
  const { histories } = useStores()
  const [, draw] = useState(0)
  const { id, applied, at } = view.snapshot
  const due = histories.isDue(id, applied, now)
  useEffect(() => (due ? histories.want(id, applied, () => draw((last) => last + 1)) : undefined), [id, due])
  const entries = histories.get(id) ?? NONE
  const { windowMs } = view.settings.history
  const width = windowMs / COUNT
  // Whole buckets, so that a second that passes moves nothing.
  const to = Math.ceil(at / width) * width
  return useMemo(() => {
    const buckets = bucketsOf(entries, { from: to - windowMs, to }, COUNT)
    // What is older than a full answer is not known: no line is drawn there.
    const oldest = entries.length < RUNS ? undefined : entries[0]?.at
    const known = oldest === undefined ? 0 : buckets.findIndex((bucket) => bucket.at + width > oldest)
    const most = Math.max(1, ...buckets.map(totalOf))
    return (
      <svg
        class="spark"
        viewBox={`0 0 ${COUNT * STEP} ${HEIGHT}`}
        width={COUNT * STEP}
        height={HEIGHT}
        aria-hidden="true"
      >
        <path class="base" d={`M${Math.max(0, known) * STEP} ${HEIGHT - 0.5}H${COUNT * STEP}`} />
        {PARTS.map((part) => (
          <path
            key={part}
            class={part}
            d={buckets.map((bucket, x) => bar(bucket, part, { x, most })).join('')}
          />
        ))}
      </svg>
    )
  }, [entries, entries.length === 0 ? 0 : to, windowMs])
}

const PARTS = ['healthy', 'degraded', 'failed'] as const

/** Failures are at the foot, successes on top; a single outcome can be seen. */
function bar(bucket: Bucket, part: (typeof PARTS)[number], { x, most }: { x: number; most: number }): string {
  if (bucket[part] === 0) return ''
  const scale = (HEIGHT - 1) / most
  const below = part === 'failed' ? 0 : part === 'degraded' ? bucket.failed : bucket.failed + bucket.degraded
  const height = Math.max(1.5, bucket[part] * scale)
  const foot = HEIGHT - 1 - below * scale
  return `M${x * STEP} ${foot.toFixed(1)}v${(-Math.min(height, foot)).toFixed(1)}h3v${Math.min(height, foot).toFixed(1)}z`
}
