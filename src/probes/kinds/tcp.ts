import { TLSSocket } from 'node:tls'
import type { ProbeFinding, TcpProbeSettings } from '../../model/probe.js'
import { judgeCertificate } from './certificate.js'
import { ANY_WORKER, type KindOfProbe } from './kind.js'
import { overSocket } from './socket.js'
import { timed } from './timed.js'

/**
 * Whether a connection can be made, and a TLS handshake on it. Nothing is sent, nothing read: a server that accepts and
 * then says nothing is healthy. Never rejects.
 */
export function probeTcp(settings: TcpProbeSettings): Promise<ProbeFinding> {
  const { host, port, timeoutMs, tls } = settings
  const target = { at: { host, port }, ...(tls === undefined ? {} : { tls }) }
  return timed(settings, () =>
    overSocket(target, timeoutMs, (socket, answer) =>
      answer(
        socket instanceof TLSSocket && tls !== undefined
          ? judgeCertificate(socket.getPeerCertificate(), tls.minDaysToExpiry, Date.now())
          : { kind: 'judged', status: 'healthy', detail: 'connected' },
      ),
    ),
  )
}

export const tcpKind: KindOfProbe<TcpProbeSettings> = {
  ...ANY_WORKER,
  run: (probe) => probeTcp(probe),
  address: ({ host, port }) => ({ host, port }),
  judgesSnapshot: false,
}
