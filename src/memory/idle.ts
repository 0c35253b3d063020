import type { TouchRequest } from '../model/ports/store-requests.js'
import type { Circuit, Step } from '../rules/circuit.js'
import type { MemoryProvider, Written } from './provider.js'
import type { RemovedBy } from './removal.js'

/** A member of a family is used. */
export function touchMember(
  provider: MemoryProvider,
  { begin, idleMs }: TouchRequest,
  circuit: Circuit,
): Step {
  if (begin || provider.idle !== null) provider.idle = { ms: idleMs, atMs: circuit.lastNowMs + idleMs }
  return { circuit, events: [] }
}

/** How an idle member is removed; undefined where it is not idle, or is to stay: then it is looked at again later. */
export function removalOfIdle(
  provider: MemoryProvider,
  circuit: Circuit,
  worker: string,
): RemovedBy | undefined {
  const { idle } = provider
  if (idle === null || circuit.lastNowMs < idle.atMs) return undefined
  if (!isHeldByHand(provider, circuit)) return { reason: `not used for ${idle.ms} ms`, actor: '', worker }
  provider.idle = { ms: idle.ms, atMs: circuit.lastNowMs + idle.ms }
  return undefined
}

/** What a person set is kept: a mark, a trip without end, pinned settings. */
const isHeldByHand = ({ pinned }: MemoryProvider, { mark, phase, lastNowMs }: Circuit): boolean =>
  pinned ||
  (mark !== null && (mark.untilMs === null || mark.untilMs > lastNowMs)) ||
  (phase.state === 'open' && phase.retryAtMs === null)

/** Nothing is changed. */
export const stays = (_: MemoryProvider, circuit: Circuit): Written<{ readonly expired: boolean }> => ({
  step: { circuit, events: [] },
  extra: { expired: false },
})

export const idleIds = (providers: Iterable<MemoryProvider>, nowMs: number): string[] =>
  [...providers].filter(({ idle }) => idle !== null && idle.atMs <= nowMs).map(({ id }) => id)
