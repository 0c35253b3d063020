import { resolveSettings } from '../../src/config/settings.js'
import type { ProbeSettings } from '../../src/model/probe.js'

/** A probe every 10 s, or at other paces too. */
export function probeOf(
  intervals: { suspiciousIntervalMs?: number; downIntervalMs?: number } = {},
): ProbeSettings {
  const probe = { kind: 'tcp' as const, host: 'localhost', port: 1, intervalMs: 10_000, ...intervals }
  const resolved = resolveSettings({ probe }).probe
  if (resolved === undefined) throw new Error('the probe was not taken')
  return resolved
}
