// P1b: a guarded call as people make it, with a time limit and a signal, closed, cached.
import { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } from 'cockatiel'
import CircuitBreaker from 'opossum'
import { connect } from '../dist/index.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'

const CALLS = 20_000
const ROUNDS = 15
const TIMEOUT_MS = 5_000

export async function run() {
  const server = await startRedis()
  const busbar = await connect({ redis: server.url, logger: false })
  try {
    const provider = await busbar.provider('p1b')
    return [...(await ignoresSignal(provider)), ...(await readsSignal(provider))]
  } finally {
    await busbar.close()
    await server.stop()
  }
}

async function ignoresSignal(provider) {
  const fn = async () => 1
  const cockatiel = guardedByCockatiel()
  const opossum = new CircuitBreaker(fn, { timeout: TIMEOUT_MS })
  const ns = await measure({
    busbar: () => provider.execute(fn, { timeoutMs: TIMEOUT_MS }),
    cockatiel: () => cockatiel.execute(fn),
    opossum: () => opossum.fire(),
  })
  opossum.shutdown()
  const what = 'call with timeoutMs, signal ignored'
  return [
    rowOf(`${what}, beside cockatiel with a timeout`, ns.busbar, ns.cockatiel, 0.15),
    rowOf(`${what}, beside opossum with a timeout`, ns.busbar, ns.opossum, 2),
  ]
}

async function readsSignal(provider) {
  const fn = async ({ signal }) => signal.aborted
  const cockatiel = guardedByCockatiel()
  const { signal } = new globalThis.AbortController()
  const ns = await measure({
    busbar: () => provider.execute(fn, { timeoutMs: TIMEOUT_MS }),
    busbarOwn: () => provider.execute(fn, { timeoutMs: TIMEOUT_MS, signal }),
    bare: () => bare(fn),
    bareOwn: () => bareWithOwn(fn, signal),
    cockatiel: () => cockatiel.execute(fn),
    cockatielOwn: () => cockatiel.execute(fn, signal),
  })
  const what = 'call with timeoutMs that reads the signal'
  return [
    rowOf(`${what}, beside a bare controller and timer`, ns.busbar, ns.bare, 1.3),
    rowOf(`${what}, beside cockatiel`, ns.busbar, ns.cockatiel, 0.5),
    rowOf(`${what}, and has the caller's, beside a bare one`, ns.busbarOwn, ns.bareOwn, 1.3),
    rowOf(`${what}, and has the caller's, beside cockatiel`, ns.busbarOwn, ns.cockatielOwn, 0.5),
  ]
}

const guardedByCockatiel = () =>
  wrap(
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(3) }),
    timeout(TIMEOUT_MS, TimeoutStrategy.Cooperative),
  )

async function bare(fn) {
  const controller = new globalThis.AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  try {
    return await fn(controller)
  } finally {
    clearTimeout(timer)
  }
}

async function bareWithOwn(fn, own) {
  const controller = new globalThis.AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  const abort = () => controller.abort(own.reason)
  own.addEventListener('abort', abort, { once: true })
  try {
    return await fn(controller)
  } finally {
    clearTimeout(timer)
    own.removeEventListener('abort', abort)
  }
}

async function measure(calls) {
  const loops = Object.entries(calls).map(([name, call]) => {
    const loop = async (n) => {
      for (let i = 0; i < n; i += 1) await call()
    }
    return [name, () => nsPerCall(CALLS, loop)]
  })
  for (const [, timed] of loops) await timed()
  return interleaved(ROUNDS, Object.fromEntries(loops))
}

const rowOf = (what, ours, peer, target) =>
  row('P1b', what, { ours, peer, unit: 'ns', ratio: ours / peer, target })
