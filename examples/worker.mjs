// A minimal worker. Start Redis, then:
//   node worker.mjs redis://127.0.0.1:6379
// and in a second terminal:
//   npx busbar status --redis redis://127.0.0.1:6379
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, isBusbarError } from 'busbar'

const redis = process.argv[2] ?? 'redis://127.0.0.1:6379'
const url = process.argv[3] ?? 'https://example.com/'

const busbar = await connect({ redis })
const api = await busbar.provider('example-api', { breaker: { failureThreshold: 3, cooldownMs: 10_000 } })

let running = true
process.once('SIGINT', () => (running = false))

while (running) {
  try {
    const response = await api.execute(({ signal }) => fetch(url, { signal }), { timeoutMs: 2_000 })
    console.log(`answered ${response.status}`)
  } catch (error) {
    // The fleet's circuit is open: nothing was called. Anything else is what the call itself threw.
    const refused = isBusbarError(error) && error.code !== 'call_timeout'
    console.log(refused ? `refused (${error.code}), retry in ${error.retryAfterMs} ms` : `failed: ${error}`)
  }
  await sleep(500)
}

await busbar.close()
