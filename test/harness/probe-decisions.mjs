// When probes are decided, by Redis's clock: a fleet is judged by that, and not by when packets arrive, which depends on the
// machine too.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** What scripts write, as MONITOR shows it. Namespaces and ids of tests stand in it, and in a pattern, as they are. */
const patterns = (namespace, id) => ({
  claims: new RegExp(`"zadd" "\\{?${namespace}\\}?:claimed" "(\\d+)" "${id}"`, 'i'),
  starts: new RegExp(`"hset" "${namespace}:\\{${id}\\}:circuit" .*"probe_started_at_ms" "(\\d+)"`, 'i'),
})

/**
 * Keeps the times at which a probe of `id` was handed out (`claims`; not those handed out together with other providers'),
 * and at which one was admitted (`starts`; not those that need no admission, because nobody else can have one under way), until
 * it is closed. By a socket of its own: ioredis takes a line that comes early for a reply.
 */
export async function watchProbeDecisions(port, namespace, id) {
  const seen = { claims: [], starts: [] }
  const socket = connect(port, '127.0.0.1')
  const lookFor = Object.entries(patterns(namespace, id))
  createInterface(socket).on('line', (line) => {
    if (!line.includes(namespace)) return
    for (const [what, pattern] of lookFor) {
      const [, at] = pattern.exec(line) ?? []
      if (at !== undefined) seen[what].push(Number(at))
    }
  })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  return { ...seen, close: () => socket.destroy() }
}

/** From each to the next. */
export const gapsOf = (times) => times.slice(1).map((at, i) => at - times[i])
