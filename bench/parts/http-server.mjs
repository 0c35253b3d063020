// A process of P14: the handler of a fleet, beside a server that answers as many bytes by node:http alone.
import { createServer } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect } from '../../dist/index.js'
import { createHandler, toNode } from '../../dist/http/index.js'
import { serve } from '../lib.mjs'

const [redis, count] = process.argv.slice(2)
const busbar = await connect({ redis, logger: false })
for (let i = 0; i < Number(count); i += 1) await busbar.provider(`provider-${i}`)

const handler = createHandler(busbar, { authorize: () => ({ actor: 'bench', can: 'read' }) })
const ours = await listen(createServer(toNode(handler)))

let text = ''
const bareStreams = new Set()
const bare = await listen(
  createServer((request, response) => {
    if (request.url === '/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 2000\n\n')
      bareStreams.add(response)
      response.on('close', () => bareStreams.delete(response))
    } else response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }),
)

async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

const settle = () => {
  for (let i = 0; i < 4; i += 1) gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

serve(
  {
    ports: () => [ours.address().port, bare.address().port],
    /** What the bare server answers: the same. */
    prepare: async () => {
      text = await (await handler(new Request('http://localhost/api/providers'))).text()
      return text.length
    },
    memory: settle,
    streams: () => handler.streams() + bareStreams.size,
  },
  async () => {
    await busbar.close()
  },
)
