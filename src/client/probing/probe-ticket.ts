import { randomUUID } from 'node:crypto'
import type { ProbeOutcome, Run } from '../../model/ports/store-requests.js'
import type { ProbeResult } from '../../model/settings.js'
import { toText } from '../../model/text.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Outbox } from '../outbox/outbox.js'

/** Leave to run one health check, and the place to say what it found. */
export interface ProbeTicket {
  /** Whether it holds a trial lease: then its result decides a half-open circuit. */
  readonly trial: boolean
  /** Resolves when the result has been applied, or dropped because settings or marks changed meanwhile. */
  finish(outcome: ProbeOutcome): Promise<void>
  /** Gives the lease back without a result. */
  abandon(): Promise<void>
}

/** Why a probe is not to run: a mark, a pause, or another probe a moment ago. */
export interface ProbeRefusal {
  readonly code: string
  readonly reason: string
  readonly retryAfterMs: number | null
}

/** What `busbar.probe()` did: a health check, or why there was none. */
export type ProbeReport =
  | ({
      readonly id: string
      readonly probed: true
      readonly trial: boolean
      /** The process that made it. */
      readonly worker: string
    } & ProbeResult)
  | {
      readonly id: string
      readonly probed: false
      /**
       * A code of a refusal (`marked_unhealthy`, `throttled`, `probed_recently`, ...), or
       * - `no_probe`: none is configured;
       * - `queue_paused`: somebody paused the queue of its probes;
       * - `no_worker`: no worker took it, and this process cannot make it;
       * - `kind_elsewhere`: it is code that other processes hold, or of a kind that a later version added;
       * - `not_here`: the process that was to make it could not, for a reason of its own;
       * - `nothing_yet`: there is nothing to say before the first heartbeat;
       * - `settings_changed`: they changed this very moment;
       * - `no_result`: a worker may have made it, and its result did not come.
       */
      readonly code: string
      readonly reason: string
      /** ms until asking again can help; null when no deadline is known. */
      readonly retryAfterMs: number | null
    }

export type ProbeAdmission =
  | { readonly kind: 'admitted'; readonly ticket: ProbeTicket }
  | { readonly kind: 'refused'; readonly refusal: ProbeRefusal }

export interface ProbeBeginning {
  /** It is turned away if another began less than this ago, so that no provider is probed twice in one period, ms. */
  readonly minGapMs: number
  readonly timeoutMs: number
  /** The schedule has seen to it that there is no other. */
  readonly alone: boolean
}

/**
 * Whether a health check may begin now, for the whole fleet. Redis is asked, unless there can be no other and, as far as
 * this process knows, nothing is in the way: then the result, which carries what was known at the beginning, is what is
 * asked about. So most probes cost one script.
 */
export async function beginProbe(
  context: ProcessContext,
  session: ProviderSession,
  outbox: Outbox,
  options: ProbeBeginning,
): Promise<ProbeAdmission> {
  const known = session.cache.held
  if (options.alone && session.cache.unblocked && known !== undefined) {
    return { kind: 'admitted', ticket: ticketOf({ context, session, outbox }, { ...known, token: '' }) }
  }
  const { own } = session
  const token = randomUUID()
  const reply = await session.run('admit', (store) =>
    store.admit(session.id, {
      ...session.caller,
      origin: 'probe',
      token,
      notAfterMs: session.notAfterMs,
      leaseMs: options.timeoutMs + context.commandTimeoutMs,
      minGapMs: options.minGapMs,
      incarnation: own.incarnation,
      failureDomain: own.domain,
    }),
  )
  const { admitted, code, reason, retryAfterMs, trial } = reply
  if (!admitted) return { kind: 'refused', refusal: { code: code ?? '', reason, retryAfterMs } }
  return {
    kind: 'admitted',
    ticket: ticketOf({ context, session, outbox }, { ...reply, token: trial ? token : '' }),
  }
}

type Beginning = Pick<Run, 'generation' | 'settingsRevision' | 'markVersion' | 'token'>

interface Parts {
  readonly context: ProcessContext
  readonly session: ProviderSession
  readonly outbox: Outbox
}

function ticketOf({ context, session, outbox }: Parts, beginning: Beginning): ProbeTicket {
  const { observers, clock } = context
  const began = clock.now()
  const { generation, settingsRevision, markVersion, token } = beginning
  const run = {
    origin: 'probe',
    count: 1,
    generation,
    token,
    retryAfterMs: 0,
    settingsRevision,
    markVersion,
    ageMs: 0,
  } as const
  const finish = ({ status, detail }: ProbeOutcome) => {
    const meter = observers.meters?.of(session)
    if (meter !== undefined) meter.probes[status] += 1
    if (observers.outcomes) {
      const ms = Math.round((clock.now() - began) * 1_000) / 1_000
      const { worker, domain } = observers
      const at = session.storeClock.nowMs
      observers.emitOutcome({
        at,
        provider: session.id,
        outcome: status,
        ms,
        domain,
        worker,
        origin: 'probe',
      })
    }
    return outbox.commit({ ...run, outcome: status, detail: toText(detail, MAX_DETAIL_LENGTH) })
  }
  const abandon = () => outbox.commit({ ...run, outcome: 'ignored', detail: '' })
  return { trial: token !== '', finish, abandon }
}

const MAX_DETAIL_LENGTH = 200
