import { PROBE_KINDS, type ProbeKind, type ProbeSettings } from '../index.js'
import { formatDuration, hideSecrets } from './format.js'

/** What is shown of one kind of probe. */
interface KindView<P> {
  /** Its target, in a few words. */
  readonly target: (probe: P) => string
  /** Whether its check is code that a worker registers. */
  readonly isCode: boolean
}

const registered: KindView<ProbeSettings<'process' | 'function'>> = {
  target: ({ kind, name }) => `${kind} ${name}`,
  isCode: true,
}

const VIEWS: { readonly [K in ProbeKind]: KindView<ProbeSettings<K>> } = {
  http: { target: ({ method, url }) => `${method} ${hideSecrets(url)}`, isCode: false },
  tcp: {
    target: ({ host, port, tls }) => `${tls === undefined ? 'tcp' : 'tls'} ${host}:${port}`,
    isCode: false,
  },
  redis: { target: ({ url }) => `redis ${hideSecrets(url)}`, isCode: false },
  process: registered,
  function: registered,
  heartbeat: { target: ({ ttlMs }) => `heartbeat within ${formatDuration(ttlMs)}`, isCode: false },
}

const viewOf = <K extends ProbeKind>(kind: K): KindView<ProbeSettings<K>> => VIEWS[kind]

/** The target of a probe, in a few words. */
export const probeTarget = (probe: ProbeSettings): string => viewOf(probe.kind).target(probe)

/** The kinds whose check is code: a process that has not registered it cannot run them. */
export const CODE_KINDS: readonly ProbeKind[] = PROBE_KINDS.filter((kind) => VIEWS[kind].isCode)
