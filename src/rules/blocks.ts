import type { StoredSnapshot } from '../model/snapshot.js'
import type { RefusalCode } from '../model/words.js'

/** One reason why a call may not begin. */
export interface Block {
  readonly code: RefusalCode
  /** The same in words. */
  readonly reason: string
  /** ms until it ends; null when nothing ends it by itself. */
  readonly retryAfterMs: number | null
}

/** The part of a snapshot that the blocks depend on. */
export type Blocking = Pick<
  StoredSnapshot,
  'state' | 'reason' | 'retryAfterMs' | 'mark' | 'markReason' | 'markForMs' | 'throttledForMs'
>

/** The same, and whether a block refuses the call. */
export type Enforced = Blocking & Pick<StoredSnapshot, 'enforce'>

/**
 * The blocks of a call, the gravest first; empty: the call may begin. The one answer, for admission, for local
 * decisions, for `snapshot.blockedBy` and for views. Half-open is no block here, because only the store knows whether
 * a trial is free. The same as `find_blocks` in `lua/lib/admission.lua`.
 */
export function blocksOf(view: Blocking): readonly Block[] {
  const { mark, markReason, markForMs, state, reason, retryAfterMs, throttledForMs } = view
  const found: Block[] = []
  if (mark !== null && mark !== 'degraded') {
    const words = markReason === '' ? `marked ${mark}` : `marked ${mark}: ${markReason}`
    found.push({ code: `marked_${mark}`, reason: words, retryAfterMs: markForMs })
  }
  if (state === 'open') {
    found.push({ code: 'circuit_open', reason: `circuit open: ${reason}`, retryAfterMs })
  }
  if (throttledForMs > 0) {
    found.push({
      code: 'throttled',
      reason: 'the provider asked for a pause',
      retryAfterMs: throttledForMs,
    })
  }
  return found
}

/** Whether a person refuses by a mark. */
export const isMark = ({ code }: Pick<Block, 'code'>): boolean =>
  code === 'marked_unhealthy' || code === 'marked_terminated'

/** The longest wait for another caller's trial to end, ms: most trials end long before their lease. */
const ASK_AGAIN_MS = 1_000

/** When it makes sense to ask again for a trial, ms, where the first lease ends in `freeInMs`. */
export const askAgainInMs = (freeInMs: number): number => Math.min(freeInMs, ASK_AGAIN_MS)

/** ms until the latest of them ends; null when one of them has no end of its own. */
export function blockedForMs(blocks: readonly Block[]): number | null {
  let latestMs = 0
  for (const { retryAfterMs } of blocks) {
    if (retryAfterMs === null) return null
    latestMs = Math.max(latestMs, retryAfterMs)
  }
  return latestMs
}
