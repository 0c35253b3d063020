// How many doomed calls reach a provider that has died: eight processes that share one breaker, beside eight that
// have one each. Run it with `node examples/shared-or-per-process.mjs` against the Redis of REDIS_URL.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { connect } from 'busbar'

const PROCESSES = 8
const CALLS = 20
const PAUSE_MS = 25

if (process.send === undefined) await compare()
else await work(process.argv[2], process.argv[3])

async function compare() {
  const run = Math.random().toString(36).slice(2, 8)
  const shared = await countCalls(() => `shared-${run}`)
  const alone = await countCalls((worker) => `alone-${run}-${worker}`)
  console.log(`one breaker for the fleet:  ${shared} of ${PROCESSES * CALLS} calls reached the dead provider`)
  console.log(`one breaker a process:      ${alone} of ${PROCESSES * CALLS} calls reached the dead provider`)
}

/** A provider that answers 503, and processes that call it; a namespace of its own is a breaker of its own. */
async function countCalls(namespaceOf) {
  let reached = 0
  const server = createServer((_request, response) => {
    reached += 1
    response.writeHead(503).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`
  const workers = Array.from({ length: PROCESSES }, (_, i) =>
    fork(fileURLToPath(import.meta.url), [namespaceOf(i), url]),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  for (const worker of workers) worker.send('go')
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  server.close()
  return reached
}

async function work(namespace, url) {
  process.once('disconnect', () => process.exit()) // at the end, and when the parent was killed
  const redis = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
  const busbar = await connect({ redis, namespace, logger: false })
  const provider = await busbar.provider('dead', { breaker: { failureThreshold: 3, cooldownMs: 60_000 } })
  process.send('ready')
  await once(process, 'message')
  for (let call = 0; call < CALLS; call += 1) {
    await provider.execute(({ signal }) => fetch(url, { signal }), {
      timeoutMs: 1_000,
      fallback: () => undefined,
    })
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  await busbar.close()
  process.disconnect()
}
