import { CommandLateError, UnknownProviderError } from '../model/errors.js'
import type { RegisterRequest } from '../model/ports/store-requests.js'
import { awaitProbe, bumpVersion, newCircuit, stateAt, type Step } from '../rules/circuit.js'
import { peekClock } from '../rules/clock.js'
import { NO_DOMAINS } from '../rules/domains.js'
import { EMPTY_WINDOW, judgesRates } from '../rules/rate-window.js'
import { restoreCircuit } from '../rules/restore.js'
import { atPresent, newProvider, type MemoryProvider } from './provider.js'
import { changeSettings } from './settings.js'

/** Why the registration cannot be made; undefined when it can. */
export function refuseRegistration(
  id: string,
  known: MemoryProvider | undefined,
  { mode, byHand }: RegisterRequest,
  readingMs: number,
): CommandLateError | UnknownProviderError | undefined {
  // By the provider's time, as every operation: it does not go back when the clock does.
  const nowMs = known === undefined ? readingMs : peekClock(known.circuit, readingMs)
  if (nowMs > (byHand?.notAfterMs ?? Infinity)) return new CommandLateError('register', id)
  return known === undefined && mode === 'release' ? new UnknownProviderError(id) : undefined
}

/** A provider that the store does not know: a new one, or one that a wipe took, as its caller knew it. */
export function createProvider(
  id: string,
  { restore, settings, worker, byHand }: RegisterRequest,
  nowMs: number,
): { readonly provider: MemoryProvider; readonly step: Step } {
  const actor = byHand?.operator ?? ''
  const circuit = restore === null ? newCircuit(nowMs) : restoreCircuit(restore, nowMs)
  const revision = (restore?.settingsRevision ?? 0) + 1
  const event = {
    kind: 'registered' as const,
    from: '',
    to: stateAt(circuit.phase, nowMs),
    reason: restore === null ? 'registered' : 'restored after a wipe',
    actor,
    generation: circuit.generation,
    version: circuit.version,
  }
  const provider = newProvider({
    id,
    circuit,
    settings,
    revision,
    setBy: actor === '' ? worker : actor,
    pinned: actor !== '',
  })
  return { provider, step: { circuit, events: [event] } }
}

/** Registers a known provider once more. Changes its settings, and gives the step that announces the change. */
export function reconfigure(provider: MemoryProvider, request: RegisterRequest, readingMs: number): Step {
  const circuit = atPresent(provider, readingMs)
  const changed = changeSettings(provider, request, circuit.lastNowMs)
  if (changed === undefined) return { circuit, events: [] }
  const { breaker } = provider.settings
  const awaited = request.mode === 'set' ? awaitProbe(circuit, circuit.lastNowMs) : circuit
  const next = bumpVersion({
    ...awaited,
    // What a rule that is off would judge by is not kept.
    rateWindow: judgesRates(breaker) ? awaited.rateWindow : EMPTY_WINDOW,
    domains: breaker.quorum > 1 ? awaited.domains : NO_DOMAINS,
  })
  const { from, to, reason } = changed
  if (reason === undefined) return { circuit: next, events: [] }
  const event = {
    kind: 'settings_changed' as const,
    from,
    to,
    reason,
    actor: request.byHand?.operator ?? '',
    generation: next.generation,
    version: next.version,
  }
  return { circuit: next, events: [event] }
}
