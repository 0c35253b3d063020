import { connect as openSocket, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet, OPERATOR, raw } from '../harness/http-fleet.js'

/** `BUSBAR_HTTP_LOAD_SECONDS=10` for the whole of it. */
const SECONDS = Number(process.env['BUSBAR_HTTP_LOAD_SECONDS'] ?? 2)
const PER_SECOND = 10_000
const SOCKETS = 20
const TURN_MS = 10
/** More that wait for an answer say that the machine is busy: the next are left out. */
const MOST_UNDER_WAY = 5_000
const MB = 1_048_576

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void // what the flag has put there

function heap(): number {
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

const opened = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = openSocket(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })

it('answers 10 000 requests a second, or as many as the machine can, and gives all of it back', async ({
  annotate,
}) => {
  // Of its own, because all commands of it are counted.
  const server = await startRedis()
  const redis = new Redis(server.url)
  const busbar = await connect({ redis: server.url, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(async () => {
    await busbar.close()
    redis.disconnect()
    await server.stop()
  })
  for (const id of ['openai', 'mistral']) await busbar.provider(id)
  const { port } = await httpFleet.over(busbar, {})
  const [memory, handles] = [heap(), sockets()]
  const clients = await Promise.all(Array.from({ length: SOCKETS }, () => opened(port)))
  let [sent, answered, refused] = [0, 0, 0]
  for (const client of clients) {
    client.on('data', (data) => {
      // Heads of answers: none is cut, because each is sent in one piece and is short.
      const heads = data.toString('latin1').match(/HTTP\/1\.1 \d+/g) ?? []
      answered += heads.length
      refused += heads.filter((head) => !head.endsWith('200')).length
    })
  }
  await redis.config('RESETSTAT')
  const began = performance.now()
  const each = (PER_SECOND * TURN_MS) / 1_000 / SOCKETS
  const request = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /api/providers HTTP/1.1\r\nHost: x\r\n\r\n'
  while (performance.now() - began < SECONDS * 1_000) {
    if (sent - answered < MOST_UNDER_WAY) {
      for (const client of clients) client.write(request.repeat(Math.ceil(each / 2)))
      sent += clients.length * Math.ceil(each / 2) * 2
    }
    await new Promise((resolve) => setTimeout(resolve, TURN_MS))
  }
  await eventually(() => answered === sent, 'every request is answered')
  const seconds = (performance.now() - began) / 1_000
  await annotate(`${sent} requests, ${Math.round(sent / seconds)} a second`)
  expect(refused).toBe(0)
  // However many ask, Redis is read four times a second: two providers, and one more command each time.
  const stats = await redis.info('commandstats')
  const scripts = Number(/cmdstat_evalsha(?:_ro)?:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  expect(scripts).toBeLessThanOrEqual((4 * seconds + 4) * 4)
  for (const client of clients) client.destroy()
  await eventually(() => sockets() <= handles && heap() < memory + 16 * MB, 'memory and handles are back')
})

const TAKING_NOTHING = 12

it('cuts off clients that take nothing of a list or of the metrics, all of which share one copy', async () => {
  const busbar = createTestBusbar()
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => busbar.provider(`provider-${i}`)))
  let asked = 0
  const authorize = () => ((asked += 1), OPERATOR)
  const { port } = await httpFleet.over(busbar, { authorize }, { stuckMs: 2_000 })
  const texts = ['/api/providers', '/metrics']
  const sizes = await Promise.all(texts.map(async (path) => (await raw(port, { path })).text.length))
  expect(Math.min(...sizes)).toBeGreaterThan(MB)
  const [before, handles] = [heap(), sockets()]
  const clients = await Promise.all(Array.from({ length: TAKING_NOTHING }, () => opened(port)))
  for (const [i, client] of clients.entries()) {
    client.on('error', () => undefined).pause()
    // One after the other: what the system keeps for a client is soon full.
    client.write(`GET ${texts[i % 2] ?? ''} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(8))
  }
  let most = 0
  await eventually(
    () => {
      most = Math.max(most, heap() - before)
      return asked === sizes.length + TAKING_NOTHING * 8 && sockets() <= handles + TAKING_NOTHING
    },
    { what: 'all are cut off', timeoutMs: 110_000, everyMs: 200 },
  )
  expect(most).toBeLessThan(64 * MB)
  for (const client of clients) client.destroy()
  await eventually(() => sockets() <= handles, 'handles are back')
  await busbar.close()
})

const DEAF = 40

it('cuts off clients that never read, and holds nothing for them meanwhile', async () => {
  const busbar = createTestBusbar()
  // The state is longer than what the system keeps of a connection.
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => busbar.provider(`provider-${i}`)))
  const { port, handler } = await httpFleet.over(busbar, { authorize: 'anyone' }, { stuckMs: 2_000 })
  await handler(new Request('http://localhost/api/providers'))
  const before = heap()
  const clients = await Promise.all(Array.from({ length: DEAF }, () => opened(port)))
  for (const client of clients) {
    client.on('error', () => undefined).pause()
    client.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  }
  await eventually(() => handler.streams() > 0, 'they are there')
  let most = 0
  await eventually(
    () => {
      most = Math.max(most, heap() - before)
      return handler.streams() === 0
    },
    { what: 'all are cut off', timeoutMs: 110_000 },
  )
  // A chunk of 32 KB for each, and what node and the runtime make of it; the state alone is 9 MB.
  expect(most).toBeLessThan(64 * MB)
  for (const client of clients) client.destroy()
  await busbar.close()
})
