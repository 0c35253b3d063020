import { z } from 'zod'
import { PROBE_KINDS } from '../model/probe.js'
import { httpProbe } from './probe/http.js'
import { redisProbe } from './probe/redis.js'
import { functionProbe, heartbeatProbe, processProbe } from './probe/registered.js'
import { tcpProbe } from './probe/tcp.js'

/** A health check: `kind` says which schema it must fit. */
export const probeSchema = z.discriminatedUnion(
  'kind',
  [httpProbe, tcpProbe, redisProbe, processProbe, functionProbe, heartbeatProbe],
  {
    // Typed as the union's own issue only, it is also asked about what is no object at all.
    error: ({ code }: { readonly code: string }) =>
      code === 'invalid_union' ? `expected one of ${PROBE_KINDS.join(', ')}` : 'expected an object with kind',
  },
)
