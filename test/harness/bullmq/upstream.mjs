// A provider that can die: a real HTTP server, which then breaks every connection off. It counts what reaches it.
import { createServer } from 'node:http'
import { once } from 'node:events'

export async function startUpstream() {
  let alive = true
  let delayMs = 0
  const counts = { served: 0, doomed: 0, most: 0, now: 0 }
  const server = createServer((request, response) => {
    if (!alive) {
      counts.doomed += 1
      request.socket.destroy()
      return
    }
    counts.served += 1
    counts.now += 1
    counts.most = Math.max(counts.most, counts.now)
    setTimeout(() => {
      counts.now -= 1
      response.end('sent')
    }, delayMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    counts,
    die: () => void (alive = false),
    live: () => void (alive = true),
    slow: (ms) => void (delayMs = ms),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
