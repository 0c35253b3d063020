import { connect } from 'node:net'
import { serverName } from '../config/server-name.js'
import type { LocalSuspicion, ProbeSettings } from '../model/probe.js'
import { kindOf } from './kinds.js'
import { codeOf } from './kinds/explain.js'
import type { Address } from './kinds/kind.js'

/**
 * Tells an unreachable provider from a worker that reaches no host. Addresses of probes that answered before
 * are the witnesses: when a probe fails in a way that a broken network of this worker's own would cause (no name
 * resolved, no route), some of them are tried, and if none can be reached either, the fault is here.
 *
 * If the name resolution failed, only names are witnesses, because an address is reached without resolution. A name whose
 * address was found proves that resolution works, whether or not the host can be reached.
 *
 * Without a provider on another host the two cases look alike, and the provider is charged.
 */
export class LocalNetworkCheck {
  readonly #seen = new Map<string, Address>()

  /** A probe of this provider was answered. */
  answered(probe: ProbeSettings): void {
    const address = addressOf(probe)
    if (address === undefined) return
    this.#seen.delete(address.host)
    this.#seen.set(address.host, address)
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.keys().next().value ?? '')
  }

  /** Whether there are other hosts that answered before, and none of them can be reached, or resolved, now. */
  async allUnreachable(probe: ProbeSettings, suspicion: LocalSuspicion): Promise<boolean> {
    const own = addressOf(probe)?.host
    const others = [...this.#seen.values()]
      .filter(({ host }) => host !== own && (suspicion === 'network' || isResolved(host)))
      .slice(-WITNESSES)
    if (others.length === 0) return false
    const reached = await Promise.all(others.map((other) => answers(other, suspicion)))
    return !reached.includes(true)
  }
}

const MAX_SEEN = 16
const WITNESSES = 3
const WITNESS_TIMEOUT_MS = 1_000

const addressOf = (probe: ProbeSettings): Address | undefined => kindOf(probe.kind).address(probe)

/** True for a name that a resolver is asked for; the name of this host itself stands in a file. */
const isResolved = (host: string): boolean =>
  serverName(host) !== undefined && !/(^|\.)localhost\.?$/i.test(host)

/** A host that refuses the connection was reached. */
function answers({ host, port }: Address, suspicion: LocalSuspicion): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: WITNESS_TIMEOUT_MS })
    const end = (answer: boolean) => {
      resolve(answer)
      socket.destroy()
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', (error) => end(codeOf(error) === 'ECONNREFUSED'))
    socket.once('lookup', (error: Error | null) => {
      if (suspicion === 'name_resolution') end(error === null)
    })
  })
}
