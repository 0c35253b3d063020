import { describe, expect, it, onTestFinished } from 'vitest'
import type { Change } from '../../src/model/events.js'
import { resolveSettings } from '../../src/config/settings.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisFeed } from '../../src/redis/feed.js'
import { fleetKeys, providerKey, type ProviderKey } from '../../src/redis/keys.js'
import { RedisStore } from '../../src/redis/store.js'
import { LUA_SOURCE } from '../harness/clock.js'
import { testFleet, type Fleet } from '../harness/fleet.js'
import { storeContract } from './store.contract.js'
import { control, quick, QUICK, run, TestProvider, type TestStore } from './store/test-provider.js'

async function openRedis(): Promise<TestStore & { readonly fleet: Fleet }> {
  const fleet = await testFleet()
  const { namespace, clock, redis, url } = fleet
  const errors: Error[] = []
  const onError = (error: Error) => void errors.push(error)
  const connection = new RedisConnection(url, { commandTimeoutMs: 20_000, unref: false, onError })
  await connection.connect()
  const store = new RedisStore(connection, namespace, LUA_SOURCE)
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
    const keys = await redis.keys(`${namespace}:{${id}}:*`)
    const listed = await redis.zscore(fleetKeys(namespace).providers, id)
    return [...keys, ...(listed === null ? [] : ['list'])]
  }
  const time = {
    nowMs: () => clock.nowMs,
    advance: (ms: number) => clock.advance(ms),
    set: (ms: number) => clock.set(ms),
  }
  return { ...time, fleet, store, changes, leftovers }
}

storeContract('redis', openRedis)

describe('the keys in Redis', () => {
  it('of a group are one list, which goes with its last member', async () => {
    const { fleet, ...testStore } = await openRedis()
    const key = `${fleet.namespace}:group:llm`
    await new TestProvider(testStore, 'a').register()
    expect(await fleet.redis.exists(key)).toBe(0)
    await new TestProvider(testStore, 'a').register({ group: 'llm' })
    expect(await fleet.redis.zrange(key, 0, -1)).toEqual(['a'])
    // A process that died between the two steps left an id behind.
    await fleet.redis.zadd(key, 0, 'nobody')
    expect(await testStore.store.members('llm')).toEqual(['a'])
    expect(await fleet.redis.zrange(key, 0, -1)).toEqual(['a'])
    await testStore.store.remove('a', control())
    expect(await fleet.redis.exists(key)).toBe(0)
  })

  it('are those of the table, of the types that the headers state, and no others', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore, { successThreshold: 2, trialLeaseMs: 60_000 })
    await testStore.store.ensureEpoch()
    await testStore.store.touchWorker('worker-1', 'node-1')
    await testProvider.openAndWait()
    await testProvider.admit()
    const types = new Map<string, string>()
    for (const key of await fleet.redis.keys(`${fleet.namespace}:*`))
      types.set(key, await fleet.redis.type(key))
    types.delete(`${fleet.namespace}:test-clock`)
    const key = (name: ProviderKey) => providerKey(fleet.namespace, 'openai', name)
    expect(Object.fromEntries(types)).toEqual({
      [key('config')]: 'hash',
      [key('circuit')]: 'hash',
      [key('history')]: 'zset',
      [key('trials')]: 'zset',
      [key('events')]: 'stream',
      [key('batches')]: 'hash',
      [`${fleet.namespace}:meta`]: 'hash',
      [`${fleet.namespace}:providers`]: 'zset',
      [`${fleet.namespace}:workers`]: 'zset',
      [`${fleet.namespace}:worker_domains`]: 'zset',
    })
  })

  it('read like a sentence: the circuit of a provider that is open', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore, { failureThreshold: 2 })
    await testProvider.record('healthy')
    await testProvider.record('timeout', 2)
    const now = String(testStore.nowMs())
    const circuit = await fleet.redis.hgetall(providerKey(fleet.namespace, 'openai', 'circuit'))
    expect(Object.keys(circuit).slice(0, 7)).toEqual([
      'state',
      'reason',
      'consecutive_failures',
      'opened_at_ms',
      'retry_at_ms',
      'generation',
      'version',
    ])
    const { generation, version } = circuit
    expect(circuit).toEqual({
      state: 'open',
      reason: '2 consecutive failures',
      last_failure: 'timeout',
      consecutive_failures: '2',
      opened_at_ms: now,
      retry_at_ms: String(testStore.nowMs() + 1_000),
      generation,
      version,
      state_since_ms: now,
      cooldown_ms: '1000',
      outage_since_ms: now,
      outage_reason: '2 consecutive failures',
      outage_failure: 'timeout',
      outage_by: 'rule',
      opened_total: '1',
      probe_awaited_since_ms: now,
      history_total: '3',
      history_healthy: '1',
      history_failed: '2',
      history_newest: '000000000002:timeout:2',
      history_newest_at_ms: now,
      history_oldest_at_ms: now,
      next_slot_us: circuit['next_slot_us'],
      last_now_ms: now,
      applied: '3',
    })
    const history = await fleet.redis.zrange(
      providerKey(fleet.namespace, 'openai', 'history'),
      0,
      -1,
      'WITHSCORES',
    )
    expect(history).toEqual(['000000000001:healthy:1', now, '000000000002:timeout:2', now])
  })

  it('keep no field that has its default: a provider that was never called has nine, one that recovered loses what it had', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore, { failureThreshold: 1 })
    const read = () => fleet.redis.hgetall(providerKey(fleet.namespace, 'openai', 'circuit'))
    const fresh = Object.keys(await read())
    expect(fresh).toHaveLength(10)
    await testProvider.record('timeout')
    await testStore.advance(1_000)
    await testProvider.record('healthy')
    const closed = await read()
    expect(closed).toMatchObject({ state: 'closed', opened_at_ms: '0', retry_at_ms: '0' })
    const gone = ['last_failure', 'cooldown_ms', 'consecutive_successes', 'mark', 'throttled_until_ms']
    expect(gone.filter((field) => field in closed)).toEqual([])
  })

  it('write no number with an exponent, however large', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore, { failureThreshold: 1_000_000 }, { maxRecords: 10_000_000 })
    await testProvider.record('healthy', 1e15)
    const circuit = await fleet.redis.hgetall(providerKey(fleet.namespace, 'openai', 'circuit'))
    expect(circuit['applied']).toBe('1000000000000000')
    expect(circuit['history_total']).toBe('10000000')
  })

  it('stay unwritten by an admission while closed', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore)
    const key = providerKey(fleet.namespace, 'openai', 'circuit')
    const before = await fleet.redis.dump(key)
    await testStore.advance(5_000)
    await testProvider.admit()
    expect(await fleet.redis.dump(key)).toEqual(before)
    expect(await fleet.redis.exists(providerKey(fleet.namespace, 'openai', 'trials'))).toBe(0)
  })
})

describe('the book of batches in Redis', () => {
  it('forgets processes that were idle for ten minutes, and keeps those that were not', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore)
    const book = providerKey(fleet.namespace, 'openai', 'batches')
    for (let i = 0; i < 4; i += 1) await testProvider.send([], { incarnation: `old-${i}`, sequence: 1 })
    await testStore.advance(600_000)
    await testProvider.send([], { incarnation: 'kept', sequence: 1 })
    expect(await fleet.redis.hlen(book)).toBe(5)
    await testStore.advance(1)
    await testProvider.send([], { incarnation: 'new', sequence: 1 })
    expect((await fleet.redis.hkeys(book)).sort()).toEqual(['kept', 'new'])
  })
})

describe('a wiped Redis', () => {
  it('knows no provider and no epoch, and takes what a process brings', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore)
    const epoch = await testStore.store.ensureEpoch()
    await testProvider.record('unhealthy')
    const restore = await testProvider.snapshot()
    const keys = await fleet.redis.keys(`${fleet.namespace}:*`)
    await fleet.redis.unlink(keys.filter((key) => !key.endsWith(':test-clock')))
    expect(await testStore.store.epoch()).toBeNull()
    expect(await testStore.store.record('openai', testProvider.batch([run('healthy')]))).toMatchObject({
      status: 'unknown_provider',
    })
    expect(await testStore.store.ensureEpoch()).not.toBe(epoch)
    await testProvider.register({}, { mode: 'keep', restore })
    expect(await testProvider.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 1_000 })
    expect((await testProvider.snapshot()).generation).toBeGreaterThan(restore.generation)
  })
})

describe('a registration that Redis refuses', () => {
  const plant = async () => {
    const { fleet, ...testStore } = await openRedis()
    const circuit = providerKey(fleet.namespace, 'openai', 'circuit')
    await fleet.redis.set(circuit, 'a key of somebody else')
    return { fleet, testStore, circuit }
  }

  it('leaves no id behind, and the key that was in its way as it was', async () => {
    const { fleet, testStore, circuit } = await plant()
    await expect(new TestProvider(testStore).register()).rejects.toThrow('WRONGTYPE')
    expect(await testStore.store.providers()).toEqual([])
    expect(await testStore.leftovers('openai')).toEqual([circuit])
    expect(await fleet.redis.get(circuit)).toBe('a key of somebody else')
  })

  it('keeps the id of a provider that was there before', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = new TestProvider(testStore)
    await testProvider.register()
    const circuit = providerKey(fleet.namespace, 'openai', 'circuit')
    await fleet.redis.del(circuit)
    await fleet.redis.set(circuit, 'a key of somebody else')
    await expect(testProvider.register({ slowMs: 5 })).rejects.toThrow('WRONGTYPE')
    expect((await testStore.store.providers()).map(({ id }) => id)).toEqual(['openai'])
  })

  it('costs none of hundreds that register in the same moment, new ones or old', async () => {
    const { fleet, testStore } = await plant()
    await new TestProvider(testStore, 'p-0').register()
    const ids = Array.from({ length: 300 }, (_, i) => `p-${i}`)
    const mine = Promise.all(ids.map((id) => new TestProvider(testStore, id).register()))
    await expect(new TestProvider(testStore).register()).rejects.toThrow('WRONGTYPE')
    await mine
    const listed = (await testStore.store.providers()).map(({ id }) => id)
    expect(listed.sort()).toEqual(ids.sort())
    // The list itself cannot be written: everybody hears of it, and nobody waits for ever.
    const providers = fleetKeys(fleet.namespace).providers
    await fleet.redis.rename(providers, `${providers}:kept`)
    await fleet.redis.set(providers, 'a key of somebody else')
    const refused = await Promise.allSettled(
      ids.map((id) => new TestProvider(testStore, `late-${id}`).register()),
    )
    expect(refused.filter(({ status }) => status === 'fulfilled')).toEqual([])
    await fleet.redis.rename(`${providers}:kept`, providers)
    await new TestProvider(testStore, 'p-300').register()
    expect(await testStore.store.providers()).toHaveLength(301)
  })

  it('keeps the id where another process registers the provider in the same moment', async () => {
    const { fleet, testStore, circuit } = await plant()
    const other = new TestProvider(testStore)
    const connection = new RedisConnection(fleet.url, {
      commandTimeoutMs: 20_000,
      unref: false,
      onError: () => undefined,
    })
    await connection.connect()
    onTestFinished(() => connection.close())
    const run = connection.run.bind(connection)
    // Between the last look at its keys and the removal of the id.
    connection.run = async (command, ...rest) => {
      if (command === 'zrem') {
        await fleet.redis.del(circuit)
        await other.register()
      }
      return run(command, ...rest)
    }
    const store = new RedisStore(connection, fleet.namespace, LUA_SOURCE)
    await expect(new TestProvider({ ...testStore, store }).register()).rejects.toThrow('WRONGTYPE')
    expect((await testStore.store.providers()).map(({ id }) => id)).toEqual(['openai'])
  })
})

describe('two settings that change in turn', () => {
  it('stand in the config hash: by whom those replaced were set, and how many changes were not announced', async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = new TestProvider(testStore)
    const config = providerKey(fleet.namespace, 'openai', 'config')
    await testProvider.register({ slowMs: 1 }, { worker: 'older' })
    expect(await fleet.redis.hget(config, 'replaced_set_by')).toBeNull()
    await testProvider.register({ slowMs: 2 }, { worker: 'newer' })
    await testStore.advance(10)
    await testProvider.register({ slowMs: 1 }, { worker: 'older' })
    await testProvider.register({ slowMs: 2 }, { worker: 'newer' })
    expect(await fleet.redis.hgetall(config)).toMatchObject({
      set_by: 'newer',
      replaced_set_by: 'older',
      announced_at_ms: String(testStore.nowMs() - 10),
      unannounced_changes: '2',
    })
    expect(await testProvider.store.settings('openai')).toEqual({
      settings: resolveSettings({ slowMs: 2 }),
      unread: [],
      revision: 4,
      setBy: 'newer',
      setAt: testStore.nowMs(),
      pinned: false,
    })
  })
})

describe('what a later version wrote', () => {
  const open = async () => {
    const { fleet, ...testStore } = await openRedis()
    const testProvider = await quick(testStore)
    const key = (name: ProviderKey) => providerKey(fleet.namespace, 'openai', name)
    const settings = (more: object = {}) => ({ breaker: QUICK, ...more })
    return { ...testStore, redis: fleet.redis, testProvider, key, settings }
  }
  const ECHO = '{"kind":"echo","word":"hello"}'

  it('of settings stays when others are set, is no change, and is told to nobody', async () => {
    const { redis, testProvider, key, settings } = await open()
    await redis.hset(key('config'), { 'breaker.patience': '7', probe: ECHO })
    const same = await testProvider.register(settings())
    expect(same).toMatchObject({ revision: 1, events: [] })
    expect(same.unread).toEqual([
      { path: 'breaker.patience', stored: '7', problem: null },
      { path: 'probe', stored: ECHO, problem: expect.stringContaining('kind "echo"') as unknown },
    ])
    const set = await testProvider.register(settings({ slowMs: 5 }))
    expect(set.events).toMatchObject([{ kind: 'settings_changed', from: 'slowMs=-', to: 'slowMs=5' }])
    expect((await testProvider.register(settings())).revision).toBe(3)
    const stored = await redis.hgetall(key('config'))
    expect(stored).toMatchObject({ 'breaker.patience': '7', probe: ECHO })
    expect(stored).not.toHaveProperty('slowMs')
  })

  it('of a probe goes when another is set, and one that is known goes when none is', async () => {
    const { redis, testProvider, key, settings } = await open()
    await redis.hset(key('config'), 'probe', ECHO)
    const probe = { kind: 'http' as const, url: 'http://127.0.0.1:1/' }
    await testProvider.register(settings({ probe }))
    expect(await redis.hget(key('config'), 'probe')).toContain('"http"')
    await testProvider.register(settings())
    expect(await redis.hget(key('config'), 'probe')).toBeNull()
  })

  it('of settings comes back after a wipe with those who saw it', async () => {
    const { redis, testProvider, key, settings } = await open()
    await redis.hset(key('config'), { 'breaker.patience': '7', probe: ECHO, 'history.windowMs': 'soon' })
    const { unread, snapshot: restore } = await testProvider.register(settings(), { mode: 'keep' })
    await redis.del(key('config'), key('circuit'))
    const back = await testProvider.register(settings(), { mode: 'keep', restore, unread })
    expect(back.unread).toEqual(unread)
    expect(await redis.hgetall(key('config'))).toMatchObject({
      'breaker.patience': '7',
      probe: ECHO,
      'history.windowMs': 'soon',
    })
  })

  it.each(['no JSON', '[]', '7', ECHO, '{"kind":"echo","intervalMs":"often"}'])(
    'of a probe, as %s, keeps no circuit from being decided',
    async (probe) => {
      const { redis, testProvider, key } = await open()
      await redis.hset(key('config'), { probe, 'breaker.recovery': 'probe' })
      await testProvider.openAndWait()
      const { generation, settingsRevision, markVersion } = await testProvider.snapshot()
      await testProvider.send([
        run('healthy', { origin: 'probe', generation, settingsRevision, markVersion }),
      ])
      expect((await testProvider.admit()).admitted).toBe(true)
    },
  )

  it('of a circuit stays, whatever is done with it', async () => {
    const { redis, testProvider, key } = await open()
    await redis.hset(key('circuit'), 'brownouts', '7')
    await testProvider.openAndWait()
    await testProvider.settle(await testProvider.admit(), 'healthy')
    await testProvider.trip(10)
    await testProvider.mark('degraded')
    await testProvider.resume()
    await testProvider.reset()
    expect(await redis.hget(key('circuit'), 'brownouts')).toBe('7')
  })

  it('of a history is read as it is, and counts as a record, neither as healthy nor as failed', async () => {
    const { redis, testProvider, key, nowMs, advance } = await open()
    const at = nowMs()
    await redis.zadd(key('history'), at, '000000000001:brownout:4')
    await redis.hset(key('circuit'), {
      history_total: 4,
      history_newest: '000000000001:brownout:4',
      history_newest_at_ms: at,
      history_oldest_at_ms: at,
    })
    await advance(1_000)
    await testProvider.record('healthy')
    expect(await testProvider.snapshot()).toMatchObject({
      historyTotal: 5,
      historyHealthy: 1,
      historyFailed: 0,
    })
    expect((await testProvider.store.history('openai', 10, 0)).map(({ status }) => status)).toEqual([
      'brownout',
      'healthy',
    ])
    await advance(59_500)
    await testProvider.record('healthy')
    expect(await testProvider.snapshot()).toMatchObject({
      historyTotal: 2,
      historyHealthy: 2,
      historyFailed: 0,
    })
  })

  it('of a history is coalesced with its like', async () => {
    const { redis, testProvider, key, nowMs, advance } = await open()
    const at = nowMs()
    const members = Array.from({ length: 1_000 }, (_, i) => `${String(i + 1).padStart(12, '0')}:brownout:1`)
    await redis.zadd(key('history'), ...members.flatMap((member) => [at, member]))
    await redis.hset(key('circuit'), {
      history_total: 1_000,
      history_newest: members.at(-1) ?? '',
      history_newest_at_ms: at,
      history_oldest_at_ms: at,
    })
    await advance(1_000)
    await testProvider.record('healthy')
    const runs = await testProvider.store.history('openai', 2_000, 0)
    expect(runs.length).toBeLessThan(1_000)
    const brownouts = runs.filter(({ status }) => status === 'brownout')
    expect(brownouts.reduce((sum, { count }) => sum + count, 0)).toBe(1_000)
  })

  it('of events is handed on as it is', async () => {
    const { redis, testProvider, key } = await open()
    await redis.xadd(
      key('events'),
      '*',
      'kind',
      'rested',
      'from',
      '',
      'to',
      'rest',
      'reason',
      'it had a rest',
    )
    expect(await testProvider.store.events('openai', 1)).toMatchObject([
      { kind: 'rested', to: 'rest', reason: 'it had a rest', providerId: 'openai' },
    ])
  })
})
