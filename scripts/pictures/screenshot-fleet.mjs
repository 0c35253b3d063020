// A fleet to be photographed: a private Redis, 14 workers, 13 providers that they call, and an HTTP server that answers health
// checks. What is wrong with which provider begins and ends by the clock, so that every view has something to show.
import { setMaxListeners } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const WORKERS = 14
const CALL_EVERY_MS = 1_200

const rates = { failureThreshold: 10, failureRate: 0.5, quorum: 2 }
const LLM = { group: 'llm' }
const STORE = { group: 'storage', slowMs: 500 }

const history = { windowMs: 90_000 }

/** The settings of each, less its probe. */
const PROVIDERS = {
  openai: { ...LLM, breaker: { ...rates, cooldownMs: 300_000 } },
  anthropic: { ...LLM, priority: 1, breaker: rates },
  mistral: { ...LLM, priority: 1, weight: 2, breaker: rates },
  stripe: {
    group: 'payments',
    breaker: { failureThreshold: 5, cooldownMs: 5_000, successThreshold: 200, recovery: 'traffic' },
  },
  adyen: { group: 'payments', priority: 1 },
  's3-eu': { ...STORE, history: { degradationThreshold: 0.9, windowMs: 90_000 } },
  's3-us': { ...STORE, priority: 1 },
  'postgres-orders': {},
  search: { breaker: rates },
  sendgrid: {},
  twilio: {},
  geocoder: {},
  'fx-rates': { breaker: { enforce: false } },
}

/** Its health check is a function that no worker has registered: it is never run. */
const OVERDUE = 'geocoder'

export async function startScreenshotFleet({ connect, startRedis, createHandler, toNode, log }) {
  const redis = await startRedis()
  const upstream = await startUpstream()
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const busbars = await joinAll(connect, redis.url)
  const began = Date.now()
  const at = () => (Date.now() - began) / 1_000
  const [first] = busbars
  await register(first, upstream.url)
  await first.startProbes()
  const calls = busbars.flatMap((busbar, number) => callAll(busbar, { number, at, signal: stop.signal }))
  log(`${busbars.length} workers call ${Object.keys(PROVIDERS).length} providers.`)
  const story = tell(first, { at, upstream, signal: stop.signal })
  const handler = createHandler(first, {
    authorize: () => ({ actor: 'nadia', can: 'operate' }),
    environment: 'production',
  })
  const page = await listening(createServer(toNode(handler)))
  return {
    url: page.url,
    redisPid: redis.pid,
    /** Resolves when all has happened that is to be seen. */
    ready: story,
    close: async () => {
      stop.abort()
      await Promise.allSettled(calls)
      handler.close()
      for (const { server } of [page, upstream]) server.closeAllConnections()
      await Promise.all(busbars.map((busbar) => busbar.close({ timeoutMs: 2_000 })))
      page.server.close()
      upstream.server.close()
      await redis.stop()
    },
  }
}

const SERVICES = ['checkout', 'billing', 'chat']

const joinAll = (connect, redis) =>
  Promise.all(
    Array.from({ length: WORKERS }, (_, number) =>
      connect({
        ...{ redis, namespace: 'shop', logger: false, commandTimeoutMs: 2_000 },
        workerId: `${SERVICES[number % SERVICES.length]}-${Math.floor(number / SERVICES.length) + 1}`,
        failureDomain: `node-${(number % 5) + 1}`,
      }),
    ),
  )

async function register(busbar, url) {
  for (const [id, settings] of Object.entries(PROVIDERS)) {
    const kind =
      id === OVERDUE ? { kind: 'function', name: 'geocoder' } : { kind: 'http', url: `${url}/${id}` }
    await busbar.provider(id, {
      history,
      ...settings,
      probe: { ...kind, intervalMs: 5_000, timeoutMs: 2_000 },
    })
  }
}

/** Every worker calls every provider, again and again. */
const callAll = (busbar, { number, at, signal }) =>
  Object.keys(PROVIDERS).map(async (id) => {
    const provider = await busbar.provider(id)
    while (!signal.aborted) {
      // Refused, or failed: both are what a worker of the fleet has to live with.
      await provider.execute(() => call(id, number, at()), { timeoutMs: 4_000 }).catch(() => undefined)
      await sleep(CALL_EVERY_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
    }
  })

const chance = (share) => Math.random() < share

/** The answer of the upstream, `at` seconds after the beginning. */
async function call(id, number, at) {
  const slow = id === 's3-eu' && at > 35 && chance(0.6)
  const trial = id === 'stripe' && at > 46
  await sleep(slow ? 600 : trial ? 900 : 5 + Math.random() * 30)
  return { headers: {}, status: failed(id, number, at) ? 503 : 200 }
}

function failed(id, number, at) {
  if (id === 'openai') return at > 52 || chance(0.02)
  if (id === 'stripe') return at > 40 && at < 48
  // The machine node-3 cannot reach it; everybody else can.
  if (id === 'search') return number % 5 === 2 && at > 30
  if (id === 'fx-rates') return chance(0.15)
  return chance(0.004)
}

/** Acts of people and faults, in their order. */
async function tell(busbar, { at, upstream, signal }) {
  const until = (seconds) => sleep(Math.max(0, (seconds - at()) * 1_000), undefined, { signal })
  await until(6)
  const openai = busbar.get('openai')
  await openai.trip({ actor: 'nadia', reason: 'their status page: elevated error rates', forMs: 600_000 })
  await until(14)
  await openai.reset({ actor: 'nadia', reason: 'status page is green again' })
  await until(16)
  await busbar
    .get('twilio')
    .markDegraded({ actor: 'tomasz', reason: 'texts are late in DE', forMs: 7_200_000 })
  await until(52)
  upstream.down.add('openai')
  await until(84)
}

/** Answers health checks: 503 for those that are down. */
async function startUpstream() {
  const down = new Set()
  const server = createServer((request, response) => {
    response.statusCode = down.has(request.url.slice(1)) ? 503 : 200
    response.end()
  })
  return { ...(await listening(server)), down }
}

const listening = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${server.address().port}` }))
  })
