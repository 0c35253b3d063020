import type { RefusalCode } from '../model/words.js'
import { blockedForMs, blocksOf, type Enforced } from './blocks.js'

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

/** The same answer as `admission.ts` gives, of a snapshot that was aged to now. */
export function admitLocally(snapshot: Enforced): LocalAdmission {
  const blocks = blocksOf(snapshot)
  const [first] = blocks
  if (first === undefined) return snapshot.state === 'half_open' ? { decide: 'ask' } : { decide: 'admit' }
  if (!snapshot.enforce) return { decide: 'admit', wouldRefuse: first.code }
  const { code, reason } = first
  return { decide: 'refuse', code, reason, retryAfterMs: blockedForMs(blocks) }
}
