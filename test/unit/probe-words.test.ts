import { describe, expect, it } from 'vitest'
import { probeTarget } from '../../src/view/probe-target.js'
import { resolveSettings } from '../../src/config/settings.js'
import type { ProbeInput } from '../../src/index.js'
import { failure } from '../../src/probes/kinds/explain.js'

describe('an error on the way to a provider', () => {
  it.each([
    ['EMFILE', { kind: 'prober_error', reason: 'this process has too many open files' }],
    ['ENFILE', { kind: 'prober_error', reason: 'this host has too many open files' }],
    ['ENOBUFS', { kind: 'prober_error', reason: 'this host has no memory left for sockets' }],
    ['EADDRNOTAVAIL', { kind: 'prober_error', reason: 'this host has no local port left' }],
    [
      'ENETUNREACH',
      { kind: 'judged', status: 'unhealthy', detail: 'network unreachable', suspectLocal: 'network' },
    ],
    [
      'ENOTFOUND',
      { kind: 'judged', status: 'unhealthy', detail: 'host not found', suspectLocal: 'name_resolution' },
    ],
    [
      'EAI_AGAIN',
      {
        kind: 'judged',
        status: 'unhealthy',
        detail: 'host name could not be resolved',
        suspectLocal: 'name_resolution',
      },
    ],
    ['EHOSTUNREACH', { kind: 'judged', status: 'unhealthy', detail: 'host unreachable' }],
    ['ECONNREFUSED', { kind: 'judged', status: 'unhealthy', detail: 'connection refused' }],
    ['CERT_HAS_EXPIRED', { kind: 'judged', status: 'unhealthy', detail: 'TLS: cert has expired' }],
  ])('%s is charged to whom it belongs', (code, finding) => {
    expect(failure(Object.assign(new Error('x'), { code }))).toEqual(finding)
  })
})

describe('a probe in a few words', () => {
  it.each<[ProbeInput, string]>([
    [{ kind: 'http', url: 'http://a/health' }, 'GET http://a/health'],
    [{ kind: 'tcp', host: 'db', port: 5_432 }, 'tcp db:5432'],
    [{ kind: 'tcp', host: 'db', port: 5_432, tls: true }, 'tls db:5432'],
    [{ kind: 'redis', url: 'redis://a:6379' }, 'redis redis://a:6379'],
    [{ kind: 'process', name: 'agent-1' }, 'process agent-1'],
    [{ kind: 'function', name: 'model' }, 'function model'],
    [{ kind: 'heartbeat', ttlMs: 30_000 }, 'heartbeat within 30s'],
  ])('%j', (probe, words) => {
    const resolved = resolveSettings({ probe }).probe
    expect(resolved && probeTarget(resolved)).toBe(words)
  })
})
