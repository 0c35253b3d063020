import type { Enforced } from '../../rules/blocks.js'
import { isMark } from '../../rules/blocks.js'
import type { Observed } from '../../rules/health.js'
import { admitLocally } from '../../rules/snapshot-admission.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Fallback } from './fallback.js'
import { refusalOfDoubt } from './own-circuit.js'
import type { Refused } from './permit.js'

/** One provider as its calls are decided here, without asking anybody and without taking anything. */
export interface GateView {
  /** As it stands now; undefined where nothing is known. */
  readonly observed: Observed | undefined
  /** Why a call would be refused. Undefined where it would be admitted, or where only the store can say. */
  readonly refusal: Pick<Refused, 'code' | 'reason' | 'retryAfterMs'> | undefined
}

/** `refusedMeanwhile`: in half-open, what this process knows of the trials of others. */
export function viewGate(
  session: ProviderSession,
  fallback: Fallback,
  refusedMeanwhile: () => Refused | undefined,
): GateView {
  const { cache, withoutStore } = session
  if (cache.free) return { observed: cache.held, refusal: undefined }
  const known = withoutStore ? fallback.snapshot() : present(session)
  if (known === undefined) return { observed: undefined, refusal: undefined }
  if (withoutStore) return { observed: known, refusal: refusalOf(known, fallback, refusedMeanwhile) }
  const refusal = refusalOfDoubt(session) ?? refusalOf(known, undefined, refusedMeanwhile)
  return { observed: known, refusal }
}

/** Only what is needed here: a whole snapshot has dozens of fields, and a group looks at each member. */
function present({ cache }: ProviderSession): (Observed & Enforced) | undefined {
  const blocking = cache.readBlocking()
  const { held } = cache
  if (blocking === undefined || held === undefined) return undefined
  const { historyHealthy, historyFailed, historyTotal } = held
  return Object.assign(blocking, { historyHealthy, historyFailed, historyTotal })
}

/** `fallback`: undefined while the store decides. */
function refusalOf(
  known: Enforced,
  fallback: Fallback | undefined,
  refusedMeanwhile: () => Refused | undefined,
): GateView['refusal'] {
  if (fallback?.mode === 'deny')
    return known.enforce
      ? { code: 'redis_down', reason: 'Redis does not answer', retryAfterMs: null }
      : undefined
  const local = admitLocally(known)
  if (local.decide === 'admit') return undefined
  if (local.decide === 'ask') return fallback === undefined && known.enforce ? refusedMeanwhile() : undefined
  // With `allow` nothing refuses but a mark.
  return fallback?.mode === 'allow' && !isMark(local) ? undefined : local
}
