import type { StoredSnapshot } from '../../model/snapshot.js'
import type { RefusalCode } from '../../model/words.js'
import { askAgainInMs, type Enforced } from '../../rules/blocks.js'
import type { Observed } from '../../rules/health.js'
import { admitLocally } from '../../rules/snapshot-admission.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { markOf, type Fallback } from './fallback.js'
import { doubtRefusal, nextTryInMs } from './own-circuit.js'
import type { Refused } from './permit.js'

/** What a call would meet now. `known`: whether the store has said so; otherwise it is a guess, or decided without it. */
export type Outlook =
  | { readonly can: 'begin'; readonly known: boolean }
  /** One call at a time may: a trial of half-open, which only the store can grant, or the try of a process that doubts itself. */
  | { readonly can: 'try'; readonly known: boolean }
  | Refusing

export interface Refusing extends Pick<Refused, 'code' | 'reason' | 'retryAfterMs'> {
  readonly can: 'wait'
  readonly known: boolean
}

/** One provider as its calls are decided here, found without asking anybody and without taking anything. */
export interface GateView {
  /** As it stands now; undefined where nothing is known. */
  readonly observed: Observed | undefined
  /** Of the calls that a ramp holds back nothing is said: each is drawn for, so that some begin. */
  readonly outlook: Outlook
}

/** The parts of a gate that decide. */
export interface OutlookParts {
  readonly session: ProviderSession
  readonly fallback: Fallback
  /** In half-open: why no trial is worth asking for, as far as this process knows. */
  readonly refusedMeanwhile: () => Refused | undefined
}

const BEGINS = Object.freeze({ can: 'begin', known: true })
/** Nothing is known, or nothing but what this process makes of it. */
const MAY_BEGIN = Object.freeze({ can: 'begin', known: false })

export function viewGate(parts: OutlookParts): GateView {
  const { session, fallback } = parts
  const { cache } = session
  if (cache.free) return { observed: cache.held, outlook: BEGINS }
  if (session.withoutStore) {
    const snapshot = fallback.snapshot()
    return { observed: snapshot, outlook: withoutStore(session, fallback, snapshot) }
  }
  const present = presentOf(session)
  // With nothing to go by, an admission asks the store.
  if (present === undefined) return { observed: undefined, outlook: MAY_BEGIN }
  return { observed: present, outlook: byStore(parts, present) }
}

/** Only what is needed here: a whole snapshot has dozens of fields, and a group looks at each member. */
function presentOf({ cache }: ProviderSession): (Observed & Enforced) | undefined {
  const blocking = cache.readBlocking()
  const { held } = cache
  if (blocking === undefined || held === undefined) return undefined
  const { historyHealthy, historyFailed, historyTotal } = held
  return Object.assign(blocking, { historyHealthy, historyFailed, historyTotal })
}

function byStore({ session, refusedMeanwhile }: OutlookParts, present: Enforced): Outlook {
  const known = session.cache.decides
  const local = admitLocally(present)
  if (local.decide === 'refuse') return refusing(local, known)
  const { enforce } = session.settings.settings.breaker
  const tryInMs = enforce ? nextTryInMs(session, present) : undefined
  if (tryInMs !== undefined)
    return tryInMs === 0 ? { can: 'try', known } : refusing(doubtRefusal(session.own, tryInMs), known)
  if (local.decide === 'admit' || !present.enforce) return { can: 'begin', known }
  const refused = refusedMeanwhile()
  return refused === undefined ? inHalfOpen(session, session.cache.read(), known) : refusing(refused, known)
}

function withoutStore(
  session: ProviderSession,
  fallback: Fallback,
  snapshot: StoredSnapshot | undefined,
): Outlook {
  switch (fallback.mode) {
    case 'local': {
      if (snapshot === undefined) return MAY_BEGIN
      const local = admitLocally(snapshot)
      if (local.decide === 'refuse') return refusing(local, false)
      if (local.decide === 'admit' || !snapshot.enforce) return MAY_BEGIN
      return inHalfOpen(session, snapshot, false)
    }
    case 'allow': {
      const mark = snapshot === undefined ? undefined : markOf(snapshot)
      return mark === undefined || snapshot?.enforce === false ? MAY_BEGIN : refusing(mark, false)
    }
    case 'deny':
      return session.settings.settings.breaker.enforce ? REDIS_DOWN : MAY_BEGIN
    default:
      return fallback.mode satisfies never
  }
}

const REDIS_DOWN = Object.freeze({
  can: 'wait',
  known: false,
  code: 'redis_down',
  reason: 'Redis does not answer',
  retryAfterMs: null,
})

/** Half-open, and no block: as far as the snapshot knows, is a trial free? */
function inHalfOpen(session: ProviderSession, snapshot: StoredSnapshot | undefined, known: boolean): Outlook {
  if (snapshot === undefined) return { can: 'try', known }
  const { trials, trialFreeInMs } = snapshot
  const most = session.settings.settings.breaker.halfOpenMaxTrials
  if (trials < most || trialFreeInMs === 0) return { can: 'try', known }
  const reason = `half-open: ${trials} of ${most} trials under way`
  return { can: 'wait', known, code: 'no_trial_free', reason, retryAfterMs: askAgainInMs(trialFreeInMs) }
}

interface Why {
  readonly code: RefusalCode
  readonly reason: string
  readonly retryAfterMs: number | null
}

const refusing = ({ code, reason, retryAfterMs }: Why, known: boolean): Refusing => ({
  can: 'wait',
  known,
  code,
  reason,
  retryAfterMs,
})
