import * as v from 'valibot'
import { PROBE_KINDS, type ProbeKind, type ProbeSettings } from '../model/probe.js'
import { anyObject } from './objects.js'
import { httpProbe } from './probe/http.js'
import { redisProbe } from './probe/redis.js'
import { functionProbe, heartbeatProbe, processProbe } from './probe/registered.js'
import { tcpProbe } from './probe/tcp.js'

/** The schema of each kind. */
const SCHEMAS = {
  http: httpProbe,
  tcp: tcpProbe,
  redis: redisProbe,
  process: processProbe,
  function: functionProbe,
  heartbeat: heartbeatProbe,
} satisfies { readonly [K in ProbeKind]: v.GenericSchema<unknown, ProbeSettings<K>> }

/** A health check: `kind` says which schema it must fit. */
export const probeSchema: v.GenericSchema<object, ProbeSettings> = v.pipe(
  anyObject('expected an object with kind'),
  v.variant('kind', Object.values(SCHEMAS), `expected one of ${PROBE_KINDS.join(', ')}`),
)
