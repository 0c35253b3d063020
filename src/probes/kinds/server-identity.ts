import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { serverName } from '../../config/server-name.js'

/** What a handshake asks for, and what the certificate must bear: a name, or an address, which cannot be asked for. */
export function identityOf(host: string): ConnectionOptions {
  const servername = serverName(host)
  if (servername !== undefined) return { servername }
  return { host, checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate) }
}
