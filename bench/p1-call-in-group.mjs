// P1c: a call of a group beside a call of one provider: closed, cached.
import { connect } from '../dist/index.js'
import { interleaved, nsPerCall, row, startRedis } from './lib.mjs'

const CALLS = 50_000
const ROUNDS = 21
const TIMEOUT_MS = 5_000
const TARGET = 1.5

export async function run() {
  const server = await startRedis()
  const busbar = await connect({ redis: server.url, logger: false })
  try {
    const provider = await busbar.provider('p1c')
    await busbar.provider('p1c-a', { group: 'p1c', weight: 3 })
    await busbar.provider('p1c-b', { group: 'p1c' })
    await busbar.provider('p1c-c', { group: 'p1c', priority: 1 })
    const group = busbar.group('p1c')
    await group.members()
    const fn = async () => 1
    const limit = { timeoutMs: TIMEOUT_MS }
    const key = { key: 'tenant-42' }
    const ns = await measure({
      plain: () => provider.execute(fn),
      grouped: () => group.execute(fn),
      keyed: () => group.execute(fn, key),
      plainLimited: () => provider.execute(fn, limit),
      groupedLimited: () => group.execute(fn, limit),
    })
    return [
      rowOf('call of a group, beside one of a provider', ns.grouped, ns.plain),
      rowOf('call of a group with a key, beside one of a provider', ns.keyed, ns.plain, null),
      rowOf('the same with timeoutMs', ns.groupedLimited, ns.plainLimited),
    ]
  } finally {
    await busbar.close()
    await server.stop()
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

/** Without a target, for comparison: a key is hashed at each call. */
const rowOf = (what, ours, peer, target = TARGET) => {
  const figures = { ours, peer, unit: 'ns', ratio: ours / peer }
  return row('P1c', what, target === null ? figures : { ...figures, target })
}
