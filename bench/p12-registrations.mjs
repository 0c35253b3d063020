// P12: thousands of providers registered at once by one process, and by `connect({ providers })`.
import { connect } from '../dist/index.js'
import { row, startRedis } from './lib.mjs'

const COUNT = 5_000
const WALL_MS = 2_000
const BLOCK_MS = 100

/** The longest time that the loop of this process stood still during `work`, and how long the work took, ms. */
async function timed(work) {
  let [last, blockMs] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    blockMs = Math.max(blockMs, now - last - 5)
    last = now
  }, 5)
  const began = performance.now()
  const cpu = process.cpuUsage()
  const value = await work()
  const wallMs = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  // A block that ends with the work is seen by the next turn of the timer.
  await new Promise((resolve) => setTimeout(resolve, 10))
  clearInterval(timer)
  return { value, wallMs, blockMs, cpuMs: Math.round((user + system) / 1_000) }
}

const settingsOf = (index) => ({
  breaker: { failureThreshold: 3 },
  probe: { kind: 'http', url: `http://127.0.0.1:9/tenants/${index}`, intervalMs: 60_000 },
})

export async function run() {
  const server = await startRedis()
  try {
    const ids = Array.from({ length: COUNT }, (_, index) => `provider-${index}`)
    const first = await connect({ redis: server.url, namespace: 'one', logger: false })
    let lost = 0
    first.on('store_lost', () => (lost += 1))
    const one = await timed(() => Promise.all(ids.map((id, index) => first.provider(id, settingsOf(index)))))
    await first.close()
    const providers = Object.fromEntries(ids.map((id, index) => [id, settingsOf(index)]))
    const other = await timed(() =>
      connect({ redis: server.url, namespace: 'two', logger: false, providers }),
    )
    if (other.value.degradedSince !== undefined) lost += 1
    await other.value.close()
    const note = ({ cpuMs }) => `settings of their own for each; ${cpuMs} ms of this process's CPU`
    return [
      ...rows(`${COUNT} registered at once`, one, note(one)),
      ...rows(`${COUNT} by connect({ providers })`, other, note(other)),
      row('P12', 'outages seen meanwhile', { ours: lost, peer: 0, unit: '', ratio: lost, target: 0 }),
    ]
  } finally {
    await server.stop()
  }
}

const rows = (what, { wallMs, blockMs }, note) => [
  row('P12', what, { ours: wallMs, peer: WALL_MS, unit: 'ms', ratio: wallMs / WALL_MS, target: 1, note }),
  row('P12', `${what}: longest block of the loop`, {
    ours: blockMs,
    peer: BLOCK_MS,
    unit: 'ms',
    ratio: blockMs / BLOCK_MS,
    target: 1,
  }),
]
