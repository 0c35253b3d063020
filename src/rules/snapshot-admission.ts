import type { RefusalCode } from '../model/words.js'
import { blockedForMs, blocksOf, type Enforced } from './blocks.js'

/** The decision of a worker by its snapshot alone. */
export type LocalAdmission =
  | { readonly decide: 'admit'; readonly wouldRefuse?: RefusalCode }
  | {
      readonly decide: 'refuse'
      readonly code: RefusalCode
      readonly reason: string
      readonly retryAfterMs: number | null
    }
  /** Half-open: only the store can grant a lease. */
  | { readonly decide: 'ask' }

/** The same decision as in `admission.ts`. The snapshot must be aged to now. */
export function admitLocally(snapshot: Enforced): LocalAdmission {
  const blocks = blocksOf(snapshot)
  const [first] = blocks
  if (first === undefined) return snapshot.state === 'half_open' ? { decide: 'ask' } : { decide: 'admit' }
  if (!snapshot.enforce) return { decide: 'admit', wouldRefuse: first.code }
  const { code, reason } = first
  return { decide: 'refuse', code, reason, retryAfterMs: blockedForMs(blocks) }
}
