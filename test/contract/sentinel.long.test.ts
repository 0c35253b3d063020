import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asLeast, leastRights } from '../harness/least-rights.js'
import { startSentinels, type SentinelTrio } from '../harness/sentinel.js'
import { storeContract } from './store.contract.js'
import { endsByItself, everydayUse, openOn } from './topology.js'

let trio: SentinelTrio
let client: Redis

beforeAll(async () => {
  trio = await startSentinels()
  client = new Redis({ sentinels: [...trio.sentinels], name: 'fleet' })
})

afterAll(async () => {
  client.disconnect()
  await trio.stop()
})

storeContract('a master with Sentinels', () =>
  openOn({ address: trio.url, client, keys: (pattern) => client.keys(pattern) }),
)

describe('connect with Sentinels', () => {
  it('takes redis+sentinel://', () => everydayUse(trio.url))

  it('takes options of ioredis', () => everydayUse({ sentinels: [...trio.sentinels], name: 'fleet' }))

  it('does with the least rights of docs/operations.md', async () => {
    await client.call('ACL', ...leastRights())
    await everydayUse(asLeast(trio.url), 'busbar')
  })

  it('with unref lets the process end by itself', () => endsByItself(trio.url))

  it('takes a client of the user, and leaves it open', async () => {
    await everydayUse(client)
    expect(client.status).toBe('ready')
  })

  it('says so in words when no Sentinel answers, or none knows the name', async () => {
    const unknown = trio.url.replace('/fleet', '/navy')
    await expect(everydayUse(unknown)).rejects.toMatchObject({ code: 'redis_unavailable' })
  })
})
