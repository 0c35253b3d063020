import * as v from 'valibot'
import { PROBE_KINDS, type ProbeSettings } from '../model/probe.js'
import { anyObject } from './objects.js'
import { httpProbe } from './probe/http.js'
import { redisProbe } from './probe/redis.js'
import { functionProbe, heartbeatProbe, processProbe } from './probe/registered.js'
import { tcpProbe } from './probe/tcp.js'

/** A health check: `kind` says which schema it must fit. */
export const probeSchema: v.GenericSchema<object, ProbeSettings> = v.pipe(
  anyObject('expected an object with kind'),
  v.variant(
    'kind',
    [httpProbe, tcpProbe, redisProbe, processProbe, functionProbe, heartbeatProbe],
    `expected one of ${PROBE_KINDS.join(', ')}`,
  ),
)
