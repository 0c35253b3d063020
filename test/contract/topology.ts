import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Cluster, Redis } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import { connect } from '../../src/index.js'
import type { Change } from '../../src/model/events.js'
import type { RedisAddress } from '../../src/redis/address.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisFeed } from '../../src/redis/feed.js'
import { fleetKeys } from '../../src/redis/keys.js'
import { RedisStore } from '../../src/redis/store.js'
import { eventually } from '../harness/eventually.mjs'
import { providerClock } from '../harness/provider-clock.js'
import { testNamespace } from '../harness/redis.js'
import type { TestStore } from './store/test-provider.js'

/** Several servers that the store contract is to hold on. */
export interface Topology {
  readonly address: RedisAddress
  /** A client of the tests' own. */
  readonly client: Redis | Cluster
  readonly keys: (pattern: string) => Promise<string[]>
}

export async function openOn({ address, client, keys }: Topology): Promise<TestStore> {
  const namespace = testNamespace()
  const clock = providerClock(client, namespace)
  const errors: Error[] = []
  const onError = (error: Error) => void errors.push(error)
  const connection = new RedisConnection(address, { commandTimeoutMs: 20_000, unref: false, onError })
  await connection.connect()
  const source = { dir: process.env['BUSBAR_TEST_LUA_DIR'], overrides: clock.override }
  const store = new RedisStore(connection, namespace, source)
  const feed = new RedisFeed(connection, namespace, onError)
  const changes: Change[] = []
  await feed.subscribe({
    change: (change) => changes.push(change),
    lost: () => undefined,
    gap: () => undefined,
  })
  onTestFinished(async () => {
    await feed.close()
    await store.close()
    expect(errors, 'errors of the connection').toEqual([])
  })
  const leftovers = async (id: string) => {
    const left = await keys(`${namespace}:{${id}}:*`)
    const listed = await client.zscore(fleetKeys(namespace).providers, id)
    return [...left.filter((key) => !clock.isClock(key)), ...(listed === null ? [] : ['list'])]
  }
  const { nowMs, advance, set } = clock
  return { nowMs, advance, set, store: clock.around(store), changes, leftovers }
}

const PROBED = {
  breaker: { failureThreshold: 1 },
  probe: { kind: 'heartbeat' as const, ttlMs: 60_000, intervalMs: 1_000 },
}

/** Two processes on one address: providers in all parts of it, events, probes, and what the doctor asks. */
export async function everydayUse(address: RedisAddress, namespace = testNamespace()): Promise<void> {
  const options = {
    redis: address,
    namespace,
    logger: false as const,
    onRedisDown: 'deny' as const,
    commandTimeoutMs: 5_000,
  }
  const [one, other] = [await connect(options), await connect(options)]
  onTestFinished(async () => {
    await Promise.all([one.close(), other.close()])
  })
  const heard: string[] = []
  other.on('opened', ({ providerId }) => heard.push(providerId))
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const id of ids) await other.provider(id, PROBED)
  for (const id of ids) await (await one.provider(id)).recordFailure()
  await eventually(() => heard.length === ids.length)
  expect((await one.providers()).toSorted()).toEqual(ids)
  const probes = await one.startProbes()
  const planned = async () => (await other.inspect()).planned.length === ids.length
  await eventually(planned)
  const { pubSubProblem, scriptsProblem } = await other.inspect()
  expect({ pubSubProblem, scriptsProblem }).toEqual({ pubSubProblem: null, scriptsProblem: null })
  await probes.close()
}

/** Processes that are told to let themselves end: they do, with nothing closed. */
export async function endsByItself(url: string): Promise<void> {
  const script = `
    import { connect } from 'busbar'
    const busbar = await connect({ redis: process.argv[1], namespace: 'unref', unref: true, logger: false })
    const provider = await busbar.provider('openai')
    console.log(await provider.execute(() => 'called'))`
  const args = ['--input-type=module', '-e', script, url]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 15_000 })
  expect(stdout.trim()).toBe('called')
}
