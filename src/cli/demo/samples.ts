import type { SettingsInput } from '../../index.js'

/** The three upstreams of the sample job. */
export const SAMPLES = ['steady', 'cycling', 'slow'] as const

/** Answers slower than this count as degraded. */
export const SLOW_MS = 250

/** How the fleet judges an upstream. Short times, so that you need not wait to see the circuit move. */
export const settingsFor = (url: string): SettingsInput => ({
  breaker: { failureThreshold: 3, cooldownMs: 3_000 },
  history: { windowMs: 20_000, degradationThreshold: 0.8 },
  slowMs: SLOW_MS,
  probe: { kind: 'http', url: `${url}/health`, intervalMs: 1_000, timeoutMs: 1_000, degradedMs: SLOW_MS },
})
