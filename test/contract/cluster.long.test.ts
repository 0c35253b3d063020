import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/index.js'
import { startCluster, type TestCluster } from '../harness/cluster.js'
import { asLeast, leastRights, ON_A_CLUSTER } from '../harness/least-rights.js'
import { testNamespace } from '../harness/redis.js'
import { storeContract } from './store.contract.js'
import { endsByItself, everydayUse, openOn } from './topology.js'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster()
})

afterAll(() => cluster.stop())

storeContract('a Cluster', () => openOn({ ...cluster, address: cluster.url }))

describe('connect on a Cluster', () => {
  it('takes redis+cluster://', () => everydayUse(cluster.url))

  it('takes a list of URLs, of which one is enough', () => everydayUse(cluster.addresses.slice(0, 1)))

  it('takes a list of hosts and ports', () =>
    everydayUse(cluster.masters.map(({ server: { port } }) => ({ host: '127.0.0.1', port }))))

  it('does with the least rights of docs/operations.md', async () => {
    for (const { admin } of [...cluster.masters, ...cluster.replicas])
      await admin.call('ACL', ...leastRights(), ...ON_A_CLUSTER)
    await everydayUse(asLeast(cluster.url), 'busbar')
  })

  it('is not taken for lost because many ask at once what was never asked before', async () => {
    const lost: string[] = []
    for (let round = 0; round < 5; round += 1) {
      const options = { redis: cluster.url, namespace: testNamespace(), logger: false as const }
      const busbar = await connect({ ...options, commandTimeoutMs: 5_000 })
      busbar.on('store_lost', ({ reason }) => lost.push(reason))
      const ids = ['a', 'b', 'c', 'd', 'e', 'f']
      await Promise.all([...ids, ...ids].map((id) => busbar.provider(id)))
      await busbar.close()
    }
    expect(lost).toEqual([])
  })

  it('with unref lets the process end by itself', () => endsByItself(cluster.url))

  it('takes a client of the user, and leaves it open', async () => {
    await everydayUse(cluster.client)
    expect(cluster.client.status).toBe('ready')
  })
})
