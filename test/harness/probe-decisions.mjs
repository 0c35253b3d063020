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

/** A batch on its way into `record`: who sent it, the life of that process, the number of the batch, the runs. */
const batch = (namespace, id) =>
  new RegExp(`:outages" "${id}" "${namespace}:changes" "([^"]*)" "\\d+" "([^"]+)" "(\\d+)" .* "(\\[\\[.*)"$`)
/** The text that a job keeps of a probe that its worker could not judge, because it stood still itself. */
const discard = (namespace, id) =>
  new RegExp(
    `set" "\\{${namespace}\\}:probes:.*"returnvalue" ".*${id}\\\\",\\\\"skipped\\\\":\\\\"[^"]*stood still`,
    'i',
  )
/** A run of a probe, in JSON whose quotes MONITOR escapes. One without a result is `ignored`. */
const PROBE_RUN = /\[\\"probe\\",\\"(?!ignored)(\w+)\\"/g

/**
 * Keeps the times at which a probe of `id` was handed out (`claims`; not those handed out together with other providers'),
 * and at which one was admitted (`starts`; not those that need no admission, because nobody else can have one under way), until
 * it is closed; the results that reached Redis (`results`; a batch that was sent again is one), and the jobs whose worker
 * discarded what it found (`discards`). By a socket of its own: ioredis takes a line that comes early for a reply.
 */
export async function watchProbeDecisions(port, namespace, id) {
  const seen = { claims: [], starts: [], results: [], discards: [] }
  const batches = new Set()
  const socket = connect(port, '127.0.0.1')
  const lookFor = Object.entries(patterns(namespace, id))
  const record = batch(namespace, id)
  const discarded = discard(namespace, id)
  createInterface(socket).on('line', (line) => {
    if (!line.includes(namespace)) return
    for (const [what, pattern] of lookFor) {
      const [, at] = pattern.exec(line) ?? []
      if (at !== undefined) seen[what].push(Number(at))
    }
    if (discarded.test(line)) seen.discards.push(line)
    const [, worker, incarnation, sequence, runs] = record.exec(line) ?? []
    if (worker === undefined || batches.has(`${incarnation} ${sequence}`)) return
    batches.add(`${incarnation} ${sequence}`)
    for (const [, status] of runs.matchAll(PROBE_RUN)) seen.results.push({ worker, status })
  })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  return { ...seen, close: () => socket.destroy() }
}

/** Of an interval: where a probe may take longer, Redis is asked whether it may begin. */
const MAX_UNASKED_SHARE = 0.6

/** When probes began: at their admission, or where none is asked for, at their claim. */
export const beginningsOf = ({ claims, starts }, { interval, timeout }) =>
  timeout > MAX_UNASKED_SHARE * interval ? starts : claims

/** From each to the next. */
export const gapsOf = (times) => times.slice(1).map((at, i) => at - times[i])
