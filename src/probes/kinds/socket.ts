import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { failure, type UntimedFinding } from './explain.js'
import { identityOf } from './server-identity.js'
import { messageOf } from './within.js'

/**
 * One connection of its own for one probe: opened, used and destroyed, all within the time limit. Name resolution,
 * connection, handshake and answer count together.
 */
export interface Target {
  /** A host and a port, or the path of a socket. */
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string }
  /** `servername`: default the host. */
  readonly tls?: { readonly servername?: string | undefined; readonly rejectUnauthorized: boolean }
}

/** What happens once the connection stands; `answer` or `fail` ends it. */
export type Talk = (socket: Socket | TLSSocket, answer: (finding: UntimedFinding) => void) => void

/** Never rejects: whatever happens is a finding. */
export function overSocket(target: Target, timeoutMs: number, talk: Talk): Promise<UntimedFinding> {
  return new Promise((resolve) => {
    let socket: Socket | undefined
    const end = (finding: UntimedFinding) => {
      clearTimeout(timer)
      resolve(finding)
      socket?.destroy()
    }
    const timer = setTimeout(() => end(noAnswer(timeoutMs)), timeoutMs)
    try {
      const opened = open(target)
      socket = opened
      // The listeners stay after the end: destroying the socket may bring one more error.
      opened.on('error', (error) => end(failure(error)))
      opened.on('close', () => end(failure({ code: 'ECONNRESET' })))
      opened.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
        try {
          talk(opened, end)
        } catch (error) {
          end({ kind: 'prober_error', reason: `the probe failed within this worker: ${messageOf(error)}` })
        }
      })
    } catch (error) {
      end(failure(error))
    }
  })
}

export const noAnswer = (timeoutMs: number): UntimedFinding => ({
  kind: 'judged',
  status: 'timeout',
  detail: `no answer within ${timeoutMs} ms`,
})

function open({ at, tls }: Target): Socket {
  if (tls === undefined) return connectTcp(at)
  // Without a session cache and a pool of sockets there is nothing that one probe could leave to the next.
  const { rejectUnauthorized, servername = 'host' in at ? at.host : undefined } = tls
  return connectTls({
    ...at,
    rejectUnauthorized,
    ...(servername === undefined ? {} : identityOf(servername)),
  })
}
