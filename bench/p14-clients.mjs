// P14: what a guard adds to a client, and an observer to a guarded call.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect } from '../dist/index.js'
import { guardFetch } from '../dist/adapters/fetch.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'
import { compareWays } from './parts/ways-to-call.mjs'

const ROUNDS = 61
const FETCHES = 75
const TIMEOUT_MS = 5_000

export async function run() {
  const redis = await startRedis()
  const upstream = fork(fileURLToPath(new URL('parts/answer-upstream.mjs', import.meta.url)))
  const [port] = await once(upstream, 'message')
  const busbar = await connect({ redis: redis.url, logger: false })
  const observed = await connect({ redis: redis.url, logger: false, onOutcome: () => undefined })
  try {
    return [...(await fetches(busbar, `http://127.0.0.1:${port}/`)), ...(await observers(busbar, observed))]
  } finally {
    await busbar.close()
    await observed.close()
    upstream.disconnect()
    await redis.stop()
  }
}

async function fetches(busbar, url) {
  const guarded = guardFetch(fetch, { busbar })
  const limited = guardFetch(fetch, { busbar, timeoutMs: TIMEOUT_MS })
  const timed = (call) => async () => {
    const ns = await nsPerCall(FETCHES, async (n) => {
      for (let i = 0; i < n; i += 1) await (await call(url)).text()
    })
    return ns / 1e3
  }
  const withSignal = (url) => fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  const contenders = {
    bare: timed(fetch),
    withSignal: timed(withSignal),
    guarded: timed(guarded),
    limited: timed(limited),
  }
  for (const warm of Object.values(contenders)) await warm()
  const us = await interleaved(ROUNDS, contenders)
  return [
    rowOf('fetch on loopback, guarded, beside a bare one', us.guarded, us.bare, 'us', 1.05),
    rowOf('fetch on loopback, guarded with timeoutMs, beside a bare one', us.limited, us.bare, 'us'),
    rowOf('the same beside one with AbortSignal.timeout()', us.limited, us.withSignal, 'us'),
  ]
}

async function observers(busbar, observed) {
  const [off, on] = [await busbar.provider('p14'), await observed.provider('p14')]
  const found = await compareWays({ off, on })
  return found.map((ns) =>
    rowOf(`a call ${ns.way}, with onOutcome, beside itself without`, ns.on, ns.off, 'ns', 1.15),
  )
}

const rowOf = (what, ours, peer, unit, target) =>
  row('P14', what, { ours, peer, unit, ratio: ours / peer, target })
