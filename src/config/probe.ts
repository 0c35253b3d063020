import { PROBE_KINDS, type ProbeKind, type ProbeSettings } from '../model/probe.js'
import { oneOf } from './fields.js'
import { httpProbe } from './probe/http.js'
import { redisProbe } from './probe/redis.js'
import { functionProbe, heartbeatProbe, processProbe } from './probe/registered.js'
import { tcpProbe } from './probe/tcp.js'
import { looseObject, type Schema } from './schema.js'

const SCHEMAS: { readonly [K in ProbeKind]: Schema<ProbeSettings & { readonly kind: K }> } = {
  http: httpProbe,
  tcp: tcpProbe,
  redis: redisProbe,
  process: processProbe,
  function: functionProbe,
  heartbeat: heartbeatProbe,
}

const kindOf = looseObject({ kind: oneOf(PROBE_KINDS) }, 'expected an object with kind')

/** A health check: `kind` says which schema it must fit. */
export const probeSchema: Schema<ProbeSettings> = (value) => SCHEMAS[kindOf(value).kind](value)
