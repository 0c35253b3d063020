import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect, type Busbar, type ExecuteOptions, type Provider } from '../../src/index.js'
import { figure } from '../harness/figure.js'
import { BEGAN, CUT_OFF, keepLines, TAKEN_AGAIN, WRITES_REFUSED, WRITES_TAKEN } from '../harness/log-lines.js'
import { slotOf } from '../../src/redis/hash-slot.js'
import { startCluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.mjs'

type Command = readonly [string, ...string[]]
const THRESHOLD = 3
const SETTINGS = { breaker: { failureThreshold: THRESHOLD, cooldownMs: 600_000 } }
/**
 * Calls that a process may make besides: until the reply has come that says so, as many as open a circuit. Its own circuit begins with
 * what the store knew.
 */
const MORE = THRESHOLD
/** Calls of a provider that is dead; more than one ping and one turn of the outbox lie between the first and the last. */
const CALLS = 150

async function testStore(onRedis: (admin: Redis) => Promise<unknown> = () => Promise.resolve()) {
  const server = await startRedis()
  const admin = new Redis(server.url)
  await onRedis(admin)
  const said = keepLines()
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  const join = async (url = server.url): Promise<Busbar> => {
    const busbar = await connect({ redis: url, logger: said.logger, commandTimeoutMs: 1_000 })
    onTestFinished(() => busbar.close({ timeoutMs: 0 }))
    return busbar
  }
  return { server, admin, said, join }
}

/** Calls a dead provider again and again, as a worker does. */
async function callDead(provider: Provider, options?: ExecuteOptions) {
  let reached = 0
  let refused = 0
  const dead = () => {
    reached += 1
    return Promise.reject(new Error('dead'))
  }
  for (let i = 0; i < CALLS; i += 1) {
    const call = options === undefined ? provider.execute(dead) : provider.execute(dead, options)
    await call.catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'circuit_open') refused += 1
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { reached, refused }
}

const recordsSeen = async (admin: Redis): Promise<number> => {
  const stats = await admin.info('commandstats')
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
}

const faults: [string, { on: Command; off: Command }][] = [
  ['OOM', { on: ['CONFIG', 'SET', 'maxmemory', '1'], off: ['CONFIG', 'SET', 'maxmemory', '0'] }],
  [
    'NOREPLICAS',
    {
      on: ['CONFIG', 'SET', 'min-replicas-to-write', '3'],
      off: ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    },
  ],
  ['READONLY', { on: ['REPLICAOF', '127.0.0.1', '1'], off: ['REPLICAOF', 'NO', 'ONE'] }],
]
const ways: [string, ExecuteOptions | undefined][] = [
  ['without options', undefined],
  ['with options', { timeoutMs: 1_000 }],
]

test.each(faults)(
  '%s: a dead provider is refused as in an outage, and the fleet agrees afterwards',
  async (name, { on, off }) => {
    const { admin, said, join } = await testStore()
    for (const [way, options] of ways) {
      said.lines.length = 0
      const busbar = await join()
      const provider = await busbar.provider(way.replace(' ', '-'), SETTINGS)
      await provider.execute(() => 1)
      await provider.flush()
      await admin.call(...on)
      const { reached, refused } = await callDead(provider, options)
      expect(reached).toBeLessThanOrEqual(THRESHOLD + MORE)
      expect(refused).toBe(CALLS - reached)
      expect(provider.peek()).toMatchObject({ state: 'open', source: 'fallback' })
      expect(busbar.degradedSince).toBeDefined()
      await admin.call(...off)
      await eventually(() => busbar.degradedSince === undefined, 'back')
      // What was seen without Redis decides nothing afterwards, and is in the history.
      expect(await provider.execute(() => 'ok')).toBe('ok')
      await provider.flush()
      expect(await provider.historySize()).toBeGreaterThanOrEqual(reached)
      await eventually(() => said.words().includes(WRITES_TAKEN), 'the end is said')
      expect(said.words()).toEqual([WRITES_REFUSED, WRITES_TAKEN])
      figure(
        17,
        `${name}, ${way}: ${reached} calls reached a dead provider, ${refused} refused; two lines in the log`,
      )
      await busbar.close()
    }
  },
)

test.each(ways)(
  'NOPERM, %s: the provider alone is cut off and refused; no refused command is repeated as in an outage; back when the right is',
  async (_, options) => {
    const { server, admin, said, join } = await testStore((redis) =>
      redis.call('ACL', 'SETUSER', 'bus', 'on', '>secret', '~*', '&*', '+@all'),
    )
    const busbar = await join(server.url.replace('redis://', 'redis://bus:secret@'))
    const provider = await busbar.provider('dead', SETTINGS)
    const other = await busbar.provider('other', SETTINGS)
    await provider.execute(() => 1)
    await other.execute(() => 1)
    await busbar.flush()
    const rights = ['resetkeys', '~busbar:{other}:*', '~busbar:meta', '~busbar:workers', '~busbar:providers']
    await admin.call('ACL', 'SETUSER', 'bus', ...rights)
    const before = await recordsSeen(admin)
    const { reached, refused } = await callDead(provider, options)
    const asked = (await recordsSeen(admin)) - before
    expect(reached).toBeLessThanOrEqual(THRESHOLD + MORE)
    expect(refused).toBe(CALLS - reached)
    expect(provider.peek()).toMatchObject({ state: 'open', source: 'fallback' })
    // One batch, and the checks of whether the provider can come back: two scripts each, a second and more apart.
    expect(asked).toBeLessThanOrEqual(10)
    expect(busbar.degradedSince).toBeUndefined()
    expect(other.peek()?.source).toBe('cache')
    expect(await other.execute(() => 'ok')).toBe('ok')
    expect(busbar.counters.providersCutOff).toBe(1)
    expect(busbar.counters.outcomesLost).toBeGreaterThanOrEqual(reached)

    await admin.call('ACL', 'SETUSER', 'bus', '~*')
    await eventually(() => provider.peek()?.source === 'cache', { what: 'back', timeoutMs: 60_000 })
    expect(await provider.execute(() => 'ok')).toBe('ok')
    await eventually(() => said.words().includes(TAKEN_AGAIN), 'the end is said')
    expect(said.words().filter((line) => line === CUT_OFF)).toHaveLength(1)
    expect(said.words()).not.toContain(BEGAN)
    figure(
      17,
      `NOPERM, ${options === undefined ? 'without' : 'with'} options: ${reached} calls reached a dead provider, ` +
        `${refused} refused, ${asked} scripts asked meanwhile; the other provider went on`,
    )
  },
)

test('a key of another type cuts off its provider alone, says which key it is, and ends when it is gone', async () => {
  const { admin, said, join } = await testStore()
  const busbar = await join()
  const provider = await busbar.provider('dead', SETTINGS)
  const other = await busbar.provider('other', SETTINGS)
  await provider.execute(() => 1)
  await busbar.flush()
  await admin.del('busbar:{dead}:history')
  await admin.set('busbar:{dead}:history', 'of somebody else')
  const { reached, refused } = await callDead(provider)
  expect(reached).toBeLessThanOrEqual(THRESHOLD + MORE)
  expect(refused).toBe(CALLS - reached)
  expect(other.peek()?.source).toBe('cache')
  await eventually(() => said.words().includes(CUT_OFF), 'it is said')
  const line = said.lines.find(({ message }) => CUT_OFF.endsWith(message))
  expect(String(Reflect.get(line?.fields ?? {}, 'err'))).toContain(
    'busbar:{dead}:history is a string, not a zset',
  )
  await admin.del('busbar:{dead}:history')
  await eventually(() => provider.peek()?.source === 'cache', { what: 'back', timeoutMs: 60_000 })
  figure(
    17,
    `a key of another type: ${reached} calls reached a dead provider, ${refused} refused; back by itself`,
  )
})

test('a setting that cannot be read has its default, and is said once, also for a process that began without Redis', async () => {
  const { server, admin, said, join } = await testStore()
  const first = await join()
  await first.provider('bad', { ...SETTINGS, breaker: { ...SETTINGS.breaker, successThreshold: 2 } })
  await first.close()
  await admin.hset('busbar:{bad}:config', 'breaker.failureThreshold', 'many')
  // Asleep while the process begins.
  process.kill(server.pid, 'SIGSTOP')
  const joining = connect({ redis: server.url, logger: said.logger })
  const busbar = await joining.finally(() => process.kill(server.pid, 'SIGCONT'))
  onTestFinished(() => busbar.close({ timeoutMs: 0 }))
  const bad = await busbar.provider('bad')
  await eventually(() => bad.peek()?.source === 'cache', 'Redis decides')
  // They are read again with each revision.
  for (let i = 0; i < 3; i += 1) {
    await admin.hincrby('busbar:{bad}:config', 'revision', 1)
    await bad.snapshot()
  }
  expect(bad.settings.breaker).toMatchObject({ failureThreshold: 3, successThreshold: 2 })
  expect(bad.settingsProblems).toEqual([
    'breaker.failureThreshold: expected a whole number from 1 to 1000000, got "many"',
  ])
  // What is no part of the outage waits for its end.
  const times = () => said.lines.filter(({ message }) => message.startsWith('a stored setting cannot')).length
  await eventually(() => times() > 0, 'it is said')
  expect(times()).toBe(1)
  expect(busbar.counters.providersCutOff).toBe(0)
})

test('a process connects with a provider that cannot be registered: the others are, and it lives by its settings', async () => {
  const { server, admin } = await testStore()
  await admin.set('busbar:{bad}:circuit', 'of somebody else')
  const said = keepLines()
  const busbar = await connect({
    redis: server.url,
    logger: said.logger,
    providers: { bad: SETTINGS, good: SETTINGS },
  })
  onTestFinished(() => busbar.close({ timeoutMs: 0 }))
  const bad = busbar.get('bad')
  expect(busbar.get('good')?.peek()?.source).toBe('cache')
  expect(bad?.peek()?.source).toBe('fallback')
  for (let i = 0; i < THRESHOLD; i += 1)
    await bad?.execute(() => Promise.reject(new Error('dead'))).catch(() => undefined)
  await expect(bad?.execute(() => 1)).rejects.toMatchObject({ code: 'circuit_open' })
  await admin.del('busbar:{bad}:circuit')
  await eventually(async () => (await admin.type('busbar:{bad}:circuit')) === 'hash', {
    what: 'registered',
    timeoutMs: 60_000,
  })
  await eventually(() => bad?.peek()?.source === 'cache', { what: 'back', timeoutMs: 60_000 })
  await expect(
    connect({ redis: server.url, logger: false, onRedisDown: 'deny', providers: { good: SETTINGS } }).then(
      (one) => one.close(),
    ),
  ).resolves.toBeUndefined()
})

test('one master of a Cluster refuses writes: a dead provider on it is refused, and its process does not come and go', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const said = keepLines()
  const busbar = await connect({ redis: cluster.url, logger: said.logger, commandTimeoutMs: 2_000 })
  onTestFinished(() => busbar.close({ timeoutMs: 0 }))
  const provider = await busbar.provider('dead', SETTINGS)
  await provider.execute(() => 1)
  await provider.flush()
  const events: string[] = []
  busbar.on('store_lost', () => events.push('lost'))
  const { admin } = await cluster.ownerOf(slotOf('dead'))
  await admin.call('CONFIG', 'SET', 'maxmemory', '1')
  const { reached, refused } = await callDead(provider)
  expect(reached).toBeLessThanOrEqual(THRESHOLD + MORE)
  expect(refused).toBe(CALLS - reached)
  expect(events).toEqual(['lost'])
  await admin.call('CONFIG', 'SET', 'maxmemory', '0')
  await eventually(() => busbar.degradedSince === undefined, 'back')
  figure(
    17,
    `OOM on one master of a Cluster: ${reached} calls reached a dead provider, ${refused} refused, lost once`,
  )
})
