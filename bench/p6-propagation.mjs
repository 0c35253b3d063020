// P6: from a trip in one process until 16 others refuse locally, each trip paired with a bare message to the same.
import { Redis } from 'ioredis'
import { connect } from '../dist/index.js'
import { ask, endAll, median, pause, quantile, row, sharedNow, startRedis, worker } from './lib.mjs'

const PROCESSES = 16
const PAIRS = 120

export async function run() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const busbar = await connect({ redis: server.url, logger: false })
  let others = []
  try {
    const provider = await busbar.provider('p6')
    others = await Promise.all(
      Array.from({ length: PROCESSES }, () => worker('parts/follower.mjs', [server.url])),
    )
    const sent = await trips(provider, redis)
    const seen = await Promise.all(others.map((child) => ask(child, 'seen')))
    const last = (kind) =>
      sent.map((pair, i) => (Math.max(...seen.map((times) => times[kind][i])) - pair[kind]) / 1_000)
    const [ours, peer] = [last('trips'), last('bare')]
    return [
      compare('median', median(ours), median(peer)),
      compare('p95', quantile(ours, 0.95), quantile(peer, 0.95)),
    ]
  } finally {
    await endAll(others)
    await busbar.close()
    await redis.quit()
    await server.stop()
  }
}

function compare(which, ours, peer) {
  const what = `trip until ${PROCESSES} processes refuse, beside a bare message, ${which}`
  return row('P6', what, { ours, peer, unit: 'us', ratio: ours / peer, target: 1.5 })
}

/** When each was sent. Nothing is reported meanwhile: the machine has better to do. */
async function trips(provider, redis) {
  const sent = []
  const WARM_UP = 20
  for (let i = 0; i < PAIRS + WARM_UP; i += 1) {
    const pair = {}
    const trip = async () => {
      pair.trips = sharedNow()
      await provider.trip({ reason: 'bench' })
      await pause(25)
    }
    const bare = async () => {
      pair.bare = sharedNow()
      await redis.publish('bare', `${i}`)
      await pause(25)
    }
    for (const step of i % 2 === 0 ? [trip, bare] : [bare, trip]) await step()
    await provider.reset()
    await pause(15)
    if (i >= WARM_UP) sent.push(pair)
    else if (i === WARM_UP - 1) await redis.publish('bare', 'begin')
  }
  return sent
}
