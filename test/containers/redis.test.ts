import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { storeContract } from '../contract/store.contract.js'
import { everydayUse, openOn } from '../contract/topology.js'
import { freePort } from '../../src/embedded/port.js'
import { engineProblem, startRedisContainer, type ContainerRedis } from '../harness/container/container.mjs'

const problem = await engineProblem()

if (problem === undefined) inContainer()
else {
  console.log(problem)
  it('runs the store contract on a Redis in a container', (context) => {
    context.task.meta.skipReason = problem
    context.skip(problem)
  })
}

function inContainer(): void {
  let container: ContainerRedis
  let client: Redis

  beforeAll(async () => {
    container = await startRedisContainer(await freePort())
    client = new Redis(container.url)
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
    console.log(`Redis ${version} in a container of ${container.image}: ${container.url}`)
  })

  afterAll(async () => {
    client.disconnect()
    await container.stop()
  })

  storeContract('a Redis in a container', () =>
    openOn({ address: container.url, client, keys: (pattern) => client.keys(pattern) }),
  )

  describe('connect to a Redis in a container', () => {
    it('serves a fleet every day', () => everydayUse(container.url))
  })
}
