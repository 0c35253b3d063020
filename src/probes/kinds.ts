import type { ProbeKind, ProbeSettings } from '../model/probe.js'
import { functionKind } from './kinds/function.js'
import { heartbeatKind } from './kinds/heartbeat.js'
import { httpKind } from './kinds/http.js'
import type { KindOfProbe } from './kinds/kind.js'
import { processKind } from './kinds/process.js'
import { redisKind } from './kinds/redis.js'
import { tcpKind } from './kinds/tcp.js'

const KINDS: { readonly [K in ProbeKind]: KindOfProbe<ProbeSettings<K>> } = {
  http: httpKind,
  tcp: tcpKind,
  redis: redisKind,
  process: processKind,
  function: functionKind,
  heartbeat: heartbeatKind,
}

/** What a worker has to know of the kind. All that depends on the kind of a probe is in this table. */
export const kindOf = <K extends ProbeKind>(kind: K): KindOfProbe<ProbeSettings<K>> => KINDS[kind]

/** What a probe needs of a worker, `function/<name>` or `process/<name>`; empty: any worker can make it. */
export const needsOf = (probe: ProbeSettings): string => kindOf(probe.kind).needs(probe)
