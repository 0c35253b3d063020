import { hostname, networkInterfaces } from 'node:os'

/** Names of this very machine. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']

export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^(::ffff:)?127\./.test(address)

/**
 * Names by which a client may call the server. A page of another site can have its name resolve to this machine (DNS
 * rebinding); its requests still carry that name as their Host, which is not on the list.
 */
export function allowedHosts(listensAt: string, named: readonly string[]): ReadonlySet<string> {
  const addresses = isLoopback(listensAt) ? [] : ownNames()
  return new Set(
    [...LOCAL_NAMES, asHost(listensAt), ...addresses, ...named].map((name) => name.toLowerCase()),
  )
}

const ownNames = (): string[] => [
  hostname(),
  ...Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => asHost(address)) ?? []),
]

/** An address as it stands in a URL. */
export const asHost = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** The name in a Host header, without its port. */
export const nameIn = (host: string): string => host.toLowerCase().replace(/:\d+$/, '')
