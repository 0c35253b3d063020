import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { serverName } from '../../config/server-name.js'

/** Options of a handshake: it asks for the name of `host`, and the certificate must hold it. An address cannot be asked for. */
export function identityOf(host: string): ConnectionOptions {
  const servername = serverName(host)
  if (servername !== undefined) return { servername }
  return { checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate) }
}
