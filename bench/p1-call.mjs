// P1: a guarded call, closed, cached, beside the in-process libraries.
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel'
import CircuitBreaker from 'opossum'
import { connect } from '../dist/index.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'

const CALLS = 100_000
const ROUNDS = 21

export async function run() {
  const server = await startRedis()
  const busbar = await connect({ redis: server.url, logger: false })
  try {
    const fn = async () => 1
    const provider = await busbar.provider('p1')
    const cockatiel = circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(3) })
    const opossum = new CircuitBreaker(fn, { timeout: false })
    const loop = (call) => async (n) => {
      for (let i = 0; i < n; i += 1) await call()
    }
    const contenders = {
      raw: loop(() => fn()),
      busbar: loop(() => provider.execute(fn)),
      cockatiel: loop(() => cockatiel.execute(fn)),
      opossum: loop(() => opossum.fire()),
    }
    for (const work of Object.values(contenders)) await work(CALLS)
    const timed = Object.entries(contenders).map(([name, work]) => [name, () => nsPerCall(CALLS, work)])
    const ns = await interleaved(ROUNDS, Object.fromEntries(timed))
    opossum.shutdown()
    const what = 'guarded call, closed, cached'
    const note = `a raw async call: ${ns.raw.toFixed(0)} ns`
    return [
      row('P1', `${what}, beside cockatiel`, {
        ours: ns.busbar,
        peer: ns.cockatiel,
        unit: 'ns',
        ratio: ns.busbar / ns.cockatiel,
        target: 0.75,
        note,
      }),
      row('P1', `${what}, beside opossum`, {
        ours: ns.busbar,
        peer: ns.opossum,
        unit: 'ns',
        ratio: ns.busbar / ns.opossum,
        target: 0.3,
      }),
    ]
  } finally {
    await busbar.close()
    await server.stop()
  }
}
