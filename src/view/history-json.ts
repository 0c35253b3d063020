import type { HistoryEntry } from '../index.js'
import type { ProviderView } from './provider-view.js'

/** A provider's outcomes for a program. */
export function historyJson({ snapshot, settings }: ProviderView, history: readonly HistoryEntry[]): object {
  const { id, successRate, historyTotal, historyHealthy, windowCoveredMs } = snapshot
  const { windowMs } = settings.history
  return { id, successRate, historyTotal, historyHealthy, windowMs, windowCoveredMs, history }
}
