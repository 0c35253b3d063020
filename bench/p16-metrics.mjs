// P16: a guarded call while its process counts for Prometheus, beside itself without.
import { connect } from '../dist/index.js'
import { register } from '../dist/metrics/prometheus.js'
import { row, startRedis } from './lib.mjs'
import { compareWays } from './parts/ways-to-call.mjs'

export async function run() {
  const redis = await startRedis()
  const off = await connect({ redis: redis.url, logger: false })
  const on = await connect({ redis: redis.url, logger: false })
  register(on)
  try {
    const found = await compareWays({ off: await off.provider('p16'), on: await on.provider('p16') })
    return found.map((ns) =>
      row('P16', `a call ${ns.way}, metrics on, beside itself without`, {
        ours: ns.on,
        peer: ns.off,
        unit: 'ns',
        ratio: ns.on / ns.off,
        target: 1.15,
      }),
    )
  } finally {
    await off.close()
    await on.close()
    await redis.stop()
  }
}
