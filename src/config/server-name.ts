import { isIP } from 'node:net'

/**
 * The name that a TLS handshake with a host asks for (SNI). A server with several names needs it, or it shows the
 * certificate of another. Node sends none by itself. Undefined for an address, which RFC 6066 does not allow
 * there; the dot at the end of a full name is left out, by the same rule.
 */
export function serverName(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined
  const name = host.replace(/\.$/, '')
  return name === '' ? undefined : name
}
