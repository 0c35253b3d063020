// P2: a refusal, open, cached, beside opossum's rejection.
import CircuitBreaker from 'opossum'
import { connect } from '../dist/index.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'

const CALLS = 20_000
const ROUNDS = 15

export async function run() {
  const server = await startRedis()
  const busbar = await connect({ redis: server.url, logger: false })
  try {
    const fn = async () => 1
    const provider = await busbar.provider('p2', { breaker: { cooldownMs: 3_600_000 } })
    await provider.trip({ reason: 'bench' })
    const opossum = new CircuitBreaker(fn, { timeout: false })
    opossum.open()
    const contenders = {
      admit: async (n) => {
        for (let i = 0; i < n; i += 1) {
          const decision = await provider.admit()
          if (decision.admitted || decision.source !== 'cache') throw new Error('not refused from the cache')
        }
      },
      execute: async (n) => {
        for (let i = 0; i < n; i += 1) await provider.execute(fn).catch(() => undefined)
      },
      opossum: async (n) => {
        for (let i = 0; i < n; i += 1) await opossum.fire().catch(() => undefined)
      },
    }
    for (const work of Object.values(contenders)) await work(CALLS)
    const timed = Object.entries(contenders).map(([name, work]) => [name, () => nsPerCall(CALLS, work)])
    const ns = await interleaved(ROUNDS, Object.fromEntries(timed))
    opossum.shutdown()
    return [
      row('P2', 'refused admit(), open, cached', {
        ours: ns.admit,
        peer: ns.opossum,
        unit: 'ns',
        ratio: ns.admit / ns.opossum,
        target: 0.05,
      }),
      row('P2', 'refused execute() that throws', {
        ours: ns.execute,
        peer: ns.opossum,
        unit: 'ns',
        ratio: ns.execute / ns.opossum,
        target: 0.25,
      }),
    ]
  } finally {
    await busbar.close()
    await server.stop()
  }
}
