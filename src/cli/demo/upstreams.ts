// Three HTTP servers to call: `steady` answers at once, `cycling` is down for 8 seconds in every 20, `slow` answers
// after 50 to 350 ms. Arguments: the addresses to listen at; without them, new ones.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endWithParent, tellParent } from './parent.js'
import { SAMPLES } from './samples.js'

const CYCLE_MS = 20_000
const DOWN_FROM_MS = 6_000
const DOWN_UNTIL_MS = 14_000

const began = performance.now()

const answers = {
  steady: (response: ServerResponse) => response.end('fine\n'),
  cycling: (response: ServerResponse) => {
    const phase = (performance.now() - began) % CYCLE_MS
    response.statusCode = phase >= DOWN_FROM_MS && phase < DOWN_UNTIL_MS ? 503 : 200
    response.end('up and down\n')
  },
  slow: (response: ServerResponse) => {
    setTimeout(() => response.end('in good time\n'), 50 + Math.random() * 300)
  },
}

/** Resolves with the server's address. */
function listen(id: (typeof SAMPLES)[number], port: number): Promise<string> {
  const server = createServer((_request, response) => answers[id](response))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo // a TCP server's address is never a path
      resolve(`http://127.0.0.1:${bound}`)
    })
  })
}

endWithParent(() => Promise.resolve())
const known = process.argv.slice(2).map((url) => Number(new URL(url).port))
tellParent(await Promise.all(SAMPLES.map((id, index) => listen(id, known[index] ?? 0))))
