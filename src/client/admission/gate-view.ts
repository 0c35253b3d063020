import type { StoredSnapshot } from '../../model/snapshot.js'
import { isMark } from '../../rules/blocks.js'
import { admitLocally } from '../../rules/snapshot-admission.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Fallback } from './fallback.js'
import type { Refused } from './permit.js'

/** One provider as its calls are decided here, without asking anybody and without taking anything. */
export interface GateView {
  /** As it stands now; undefined where nothing is known. */
  readonly snapshot: StoredSnapshot | undefined
  /** Why a call would be refused. Undefined where it would be admitted, or where only the store can say. */
  readonly refusal: Pick<Refused, 'code' | 'reason' | 'retryAfterMs'> | undefined
}

/** `refusedMeanwhile`: in half-open, what this process knows of the trials of others. */
export function viewGate(
  session: ProviderSession,
  fallback: Fallback,
  refusedMeanwhile: () => Refused | undefined,
): GateView {
  const { withoutStore } = session
  const snapshot = withoutStore ? fallback.snapshot() : session.cache.read()
  if (snapshot === undefined || session.cache.free) return { snapshot, refusal: undefined }
  if (withoutStore && fallback.mode === 'deny') {
    const reason = 'Redis does not answer'
    const refusal = { code: 'redis_down', reason, retryAfterMs: null } as const
    return { snapshot, refusal: snapshot.enforce ? refusal : undefined }
  }
  const local = admitLocally(snapshot)
  if (local.decide === 'admit') return { snapshot, refusal: undefined }
  if (local.decide === 'ask')
    return { snapshot, refusal: withoutStore || !snapshot.enforce ? undefined : refusedMeanwhile() }
  // With `allow` nothing refuses but a mark.
  const ignored = withoutStore && fallback.mode === 'allow' && !isMark(local)
  return { snapshot, refusal: ignored ? undefined : local }
}
