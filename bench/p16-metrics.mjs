// P16: a guarded call while its process counts for Prometheus, beside itself without.
import { connect } from '../dist/index.js'
import { register } from '../dist/metrics/prometheus.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'

const ROUNDS = 21
const CALLS = 20_000
const TIMEOUT_MS = 5_000

export async function run() {
  const redis = await startRedis()
  const off = await connect({ redis: redis.url, logger: false })
  const on = await connect({ redis: redis.url, logger: false })
  register(on)
  try {
    const handles = { off: await off.provider('p15'), on: await on.provider('p15') }
    return await calls(handles)
  } finally {
    await off.close()
    await on.close()
    await redis.stop()
  }
}

async function calls({ off, on }) {
  const plain = async () => 1
  const reading = async ({ signal }) => signal.aborted
  const { signal } = new globalThis.AbortController()
  const ways = {
    'without options': (provider) => provider.execute(plain),
    'with timeoutMs': (provider) => provider.execute(plain, { timeoutMs: TIMEOUT_MS }),
    'with timeoutMs and a signal that it reads': (provider) =>
      provider.execute(reading, { timeoutMs: TIMEOUT_MS, signal }),
  }
  const rows = []
  for (const [way, call] of Object.entries(ways)) {
    const loop = (provider) => () =>
      nsPerCall(CALLS, async (n) => {
        for (let i = 0; i < n; i += 1) await call(provider)
      })
    const contenders = { off: loop(off), on: loop(on) }
    for (const warm of Object.values(contenders)) await warm()
    const ns = await interleaved(ROUNDS, contenders)
    const what = `a call ${way}, metrics on, beside itself without`
    rows.push(
      row('P16', what, { ours: ns.on, peer: ns.off, unit: 'ns', ratio: ns.on / ns.off, target: 1.15 }),
    )
  }
  return rows
}
