// An HTTP service of three processes that all call one upstream, each with a guarded fetch. Start Redis, then:
//   REDIS_URL=redis://127.0.0.1:6379 node guarded-service.mjs
//
// The upstream fails. One process learns it, and all three answer at once from then on, without a request to the upstream.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { connect, isBusbarError } from 'busbar'
import { guardFetch } from 'busbar/fetch'

const redis = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
const listen = async (server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

if (process.argv[2] === 'service') await serve(process.argv[3])
else await show()

/** One process of the service: passes on what the upstream answers, or says how long it is to be left alone. */
async function serve(upstream) {
  process.on('disconnect', () => process.exit()) // it ends with its parent
  const busbar = await connect({ redis })
  const settings = { breaker: { failureThreshold: 3, cooldownMs: 30_000 } }
  const guarded = guardFetch(fetch, { busbar, providerOf: () => 'upstream', settings, timeoutMs: 2_000 })
  const server = createServer(async (_, response) => {
    try {
      const answer = await guarded(upstream)
      response.writeHead(answer.status).end(await answer.text())
    } catch (error) {
      const wait = isBusbarError(error) ? Math.ceil((error.retryAfterMs ?? 1_000) / 1_000) : 1
      response.writeHead(503, { 'retry-after': wait }).end(isBusbarError(error) ? error.code : 'no answer')
    }
  })
  process.send(await listen(server))
}

/** Starts an upstream and three such processes, and calls them in turn. */
async function show() {
  let [down, asked] = [false, 0]
  const upstream = createServer((_, response) => {
    asked += 1
    response.writeHead(down ? 500 : 200).end(down ? 'failed' : 'fine')
  })
  const address = await listen(upstream)
  const services = [1, 2, 3].map(() => fork(fileURLToPath(import.meta.url), ['service', address]))
  const urls = await Promise.all(services.map(async (service) => (await once(service, 'message'))[0]))
  const call = async (index) => (await fetch(urls[index])).text()

  console.log(`upstream is up: ${await call(0)}, ${await call(1)}, ${await call(2)}`)
  down = true
  console.log(`upstream is down: ${await call(0)}, ${await call(0)}, ${await call(0)}`)
  // The news reach the two others within some ms.
  while ((await call(1)) === 'failed' || (await call(2)) === 'failed');
  asked = 0
  console.log(`all three refuse: ${await call(0)}, ${await call(1)}, ${await call(2)}`)
  console.log(`requests that reached the upstream meanwhile: ${asked}`)
  for (const service of services) service.disconnect()
  // So that the next run finds it as this one did.
  const busbar = await connect({ redis })
  await busbar.remove('upstream')
  await busbar.close()
  upstream.close()
}
