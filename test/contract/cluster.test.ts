import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../support/cluster.js'
import { storeContract } from './store.contract.js'
import { everydayUse, openOn } from './topology.js'

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

  it('takes a client of the user, and leaves it open', async () => {
    await everydayUse(cluster.client)
    expect(cluster.client.status).toBe('ready')
  })
})
