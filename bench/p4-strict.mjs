// P4: strict mode: admit + settle pairs, beside pairs of a script that does nothing, on a client of the same kind. As callers
// meet, whom one reply wakes together: their admissions share a command, as their outcomes share a batch. And where no two
// meet: each pair begins in a turn of its own.
import { setImmediate as ownTurn } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { connect } from '../dist/index.js'
import { interleaved, row, startRedis } from './lib.mjs'

const AT_ONCE = 64
const PAIRS = 12_800
const ROUNDS = 9

export async function run() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  redis.defineCommand('noop', { numberOfKeys: 1, lua: 'return 1' })
  const busbar = await connect({
    redis: server.url,
    logger: false,
    consistency: 'strict',
    commandTimeoutMs: 5_000,
  })
  try {
    const provider = await busbar.provider('p4')
    const pair = async () => {
      const decision = await provider.admit()
      await decision.permit.settle('healthy')
    }
    const noop = async () => {
      await redis.noop('p4')
      await redis.noop('p4')
    }
    const inOwnTurn = (work) => async () => {
      await ownTurn()
      await work()
    }
    const rate = (work) => async () => {
      const began = performance.now()
      const lane = async () => {
        for (let i = 0; i < PAIRS / AT_ONCE; i += 1) await work()
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
      return PAIRS / ((performance.now() - began) / 1_000)
    }
    await rate(pair)()
    await rate(noop)()
    const together = await interleaved(ROUNDS, { ours: rate(pair), peer: rate(noop) })
    const apart = await interleaved(ROUNDS, { ours: rate(inOwnTurn(pair)), peer: rate(inOwnTurn(noop)) })
    const beside = (what, { ours, peer }, target) =>
      row('P4', what, { ours, peer, unit: 'pairs/s', ratio: ours / peer, target, better: 'at least' })
    return [
      beside('strict admit + settle, 64 at once, beside no-op EVALSHA', together, 0.8),
      beside('the same, each pair in a turn of its own', apart),
    ]
  } finally {
    await busbar.close()
    await redis.quit()
    await server.stop()
  }
}
