// A wire between processes and their Redis that breaks on demand: cut, mute or slow.
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Listens on a free port of the loopback, and passes on to `port`. */
export async function startWire(port) {
  const lines = new Set()
  let mode = 'open'
  let delayMs = 0

  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1')
    const line = { muted: false, end: () => [client, redis].forEach((socket) => socket.destroy()) }
    lines.add(line)
    for (const socket of [client, redis]) {
      socket.setNoDelay()
      socket.on('error', line.end)
      socket.on('close', () => {
        line.end()
        lines.delete(line)
      })
    }
    if (mode === 'cut') line.end()
    client.on('data', (data) => redis.write(data))
    let sent = Promise.resolve()
    redis.on('data', (data) => {
      line.muted ||= mode === 'mute'
      if (line.muted) return
      const due = performance.now() + delayMs
      // One after the other, so that replies stay in order when the delay changes.
      sent = sent.then(async () => {
        const waitMs = due - performance.now()
        if (waitMs > 0) await sleep(waitMs)
        client.write(data)
      })
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `redis://127.0.0.1:${server.address().port}`,
    /** Breaks all connections; new ones are broken at once. */
    cut() {
      mode = 'cut'
      for (const line of lines) line.end()
    },
    /** Requests arrive, replies are lost, and nobody is told. */
    mute() {
      mode = 'mute'
    },
    /** Every reply takes so long. */
    slow(ms) {
      delayMs = ms
    },
    /** A connection that lost a reply ends: what follows would answer the wrong request. */
    mend() {
      mode = 'open'
      delayMs = 0
      for (const line of lines) if (line.muted) line.end()
    },
    close() {
      server.close()
      for (const line of lines) line.end()
    },
  }
}
