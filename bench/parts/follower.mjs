// A process that notes when it begins to refuse, and when a bare message comes.
import { Redis } from 'ioredis'
import { connect } from '../../dist/index.js'
import { serve, sharedNow } from '../lib.mjs'

const [url] = process.argv.slice(2)
const seen = { trips: [], bare: [] }

const redis = new Redis(url)
redis.on('message', (_channel, message) => {
  seen.bare.push(sharedNow())
  // What came before was to warm up.
  if (message === 'begin') Object.assign(seen, { trips: [], bare: [] })
})
await redis.subscribe('bare')

const busbar = await connect({ redis: url, logger: false })
const provider = await busbar.provider('p6')
busbar.on('opened', async () => {
  const decision = await provider.admit()
  const at = sharedNow()
  if (decision.admitted || decision.source !== 'cache') throw new Error('not refused from the cache')
  seen.trips.push(at)
})

serve({ seen: () => seen }, async () => {
  redis.disconnect()
  await busbar.close()
})
