import type { HistoryEntry } from '../model/snapshot.js'
import { peekClock } from '../rules/clock.js'
import { view } from '../rules/history.js'
import type { MemoryProvider } from './provider.js'

/** The newest runs of the history since then, `count` at most, the oldest first. */
export function historyOf(
  provider: MemoryProvider | undefined,
  nowMs: number,
  count: number,
  sinceMs: number,
): readonly HistoryEntry[] {
  if (provider === undefined || count === 0) return []
  const { history, circuit, settings } = provider
  const { runs } = view(history, peekClock(circuit, nowMs), settings.history)
  const kept = runs.filter((run) => run.atMs >= sinceMs).slice(-count)
  return kept.map((run) => ({ at: run.atMs, status: run.status, count: run.count }))
}
