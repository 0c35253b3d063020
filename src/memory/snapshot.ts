import type { StoredSnapshot } from '../model/snapshot.js'
import { presentCircuit, presentJudgement } from '../rules/circuit-view.js'
import type { Circuit } from '../rules/circuit.js'
import { peekClock } from '../rules/clock.js'
import { view } from '../rules/history.js'
import { probeAwaitedSince } from '../rules/overdue.js'
import { viewRecent } from '../rules/recent-calls.js'
import type { MemoryProvider } from './provider.js'

/** The provider as it stands at `readingMs`. `circuit`: by default its own, which a write has not replaced yet. */
export function snapshotOf(
  provider: MemoryProvider,
  readingMs: number,
  circuit: Circuit = provider.circuit,
): StoredSnapshot {
  const { settings } = provider
  const now = peekClock(circuit, readingMs)
  const history = view(provider.history, now, settings.history)
  const clientErrors = viewRecent(circuit.clientErrors, now, settings.history.windowMs)
  const ignored = viewRecent(circuit.ignored, now, settings.history.windowMs)
  // Assigned, not spread: a literal that spreads so many fields and adds others takes over 100 times as long.
  const judgement = presentJudgement(circuit, now, settings.breaker)
  return Object.assign(presentCircuit(circuit, now), judgement, {
    id: provider.id,
    settingsRevision: provider.revision,
    enforce: settings.breaker.enforce,
    group: settings.group ?? '',
    markVersion: circuit.markVersion,
    historyTotal: history.total,
    historyHealthy: history.healthy,
    historyFailed: history.failed,
    windowCoveredMs: history.windowCoveredMs,
    clientErrors: clientErrors.count,
    lastClientError: clientErrors.last,
    ignored: ignored.count,
    lastIgnored: ignored.last,
    viewedForMs: Math.max(0, circuit.viewedUntilMs - now),
    failingBatches: circuit.failingBatches,
    applied: circuit.applied,
    lastProbeStatus: circuit.lastProbe?.status ?? null,
    lastProbeDetail: circuit.lastProbe?.detail ?? '',
    lastProbeAt: circuit.lastProbe?.atMs ?? null,
    probeAwaitedSince: probeAwaitedSince(circuit),
    probeOverdueAt: circuit.probeOverdueAtMs,
    probeStartedAt: circuit.probeStartedAtMs,
    heartbeatAt: circuit.heartbeat?.atMs ?? null,
    heartbeatProgress: circuit.heartbeat?.progress ?? null,
    heartbeatProgressAt: circuit.heartbeat?.progressAtMs ?? null,
    at: now,
  })
}
