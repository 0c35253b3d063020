import type { ProbeSettings } from '../index.js'
import { formatDuration, hideSecrets } from './format.js'

/** The target of a probe, in a few words. */
export function probeTarget(probe: ProbeSettings): string {
  switch (probe.kind) {
    case 'http':
      return `${probe.method} ${hideSecrets(probe.url)}`
    case 'tcp':
      return `${probe.tls === undefined ? 'tcp' : 'tls'} ${probe.host}:${probe.port}`
    case 'redis':
      return `redis ${hideSecrets(probe.url)}`
    case 'process':
    case 'function':
      return `${probe.kind} ${probe.name}`
    case 'heartbeat':
      return `heartbeat within ${formatDuration(probe.ttlMs)}`
    default:
      return probe satisfies never
  }
}
