// When probes are handed out, by Redis's clock: a fleet is judged by that, and not by when packets arrive, which depends on
// the machine too.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** What claim.lua writes, as MONITOR shows it. An id that is JSON's and MONITOR's own as it stands. */
const claimOf = (namespace, id) => new RegExp(`"zadd" "\\{?${namespace}\\}?:claimed" "(\\d+)" "${id}"`, 'i')

/**
 * Keeps the times at which provider `id` was handed out, ms, until it is closed. By a socket of its own: ioredis takes a line
 * that comes early for a reply. What was handed out together with others is not seen.
 */
export async function watchClaims(port, namespace, id) {
  const socket = connect(port, '127.0.0.1')
  const claims = []
  const pattern = claimOf(namespace, id)
  createInterface(socket).on('line', (line) => {
    const [, at] = (line.includes(namespace) && pattern.exec(line)) || []
    if (at !== undefined) claims.push(Number(at))
  })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  const gaps = () => claims.slice(1).map((at, i) => at - claims[i])
  return { claims, gaps, close: () => socket.destroy() }
}
