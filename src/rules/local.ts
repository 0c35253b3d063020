import type { StoredSnapshot } from '../model/snapshot.js'
import type { RefusalCode } from '../model/words.js'
import { PAUSE_REASON, reasonOfMark, reasonOfOpen } from './admission.js'

/** What a worker can tell from its snapshot alone. */
export type LocalAdmission =
  | { readonly decide: 'admit'; readonly wouldRefuse?: RefusalCode }
  | {
      readonly decide: 'refuse'
      readonly code: RefusalCode
      readonly reason: string
      readonly retryAfterMs: number | null
    }
  /** Half-open: only the store can give a lease. */
  | { readonly decide: 'ask' }

interface Block {
  readonly code: RefusalCode
  readonly reason: string
  readonly forMs: number | null
}

/** The same answer as `admission.ts` gives, of a snapshot that was aged to now. */
export function admitLocally(snapshot: StoredSnapshot): LocalAdmission {
  const found = blocks(snapshot)
  const [first] = found
  if (first === undefined) return snapshot.state === 'half_open' ? { decide: 'ask' } : { decide: 'admit' }
  if (!snapshot.enforce) return { decide: 'admit', wouldRefuse: first.code }
  let retryAfterMs: number | null = 0
  for (const { forMs } of found) {
    retryAfterMs = retryAfterMs === null || forMs === null ? null : Math.max(retryAfterMs, forMs)
  }
  return { decide: 'refuse', code: first.code, reason: first.reason, retryAfterMs }
}

function blocks(snapshot: StoredSnapshot): Block[] {
  const { mark, markReason, markForMs, state, reason, retryAfterMs, throttledForMs } = snapshot
  const found: Block[] = []
  if (mark !== null && mark !== 'degraded') {
    found.push({ code: `marked_${mark}`, reason: reasonOfMark(mark, markReason), forMs: markForMs })
  }
  if (state === 'open')
    found.push({ code: 'circuit_open', reason: reasonOfOpen(reason), forMs: retryAfterMs })
  if (throttledForMs > 0) found.push({ code: 'throttled', reason: PAUSE_REASON, forMs: throttledForMs })
  return found
}
