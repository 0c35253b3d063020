import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/index.js'
import { databaseOf, openClient, type RedisAddress } from '../../src/redis/address.js'
import { patientManner, requestManner, subscriberManner } from '../../src/redis/client-options.js'

const OPTIONS = { commandTimeoutMs: 200, unref: false }
const manner = requestManner(OPTIONS)

/** As `connect` refuses it, before anything is opened. */
const refusal = (redis: unknown) => connect({ redis: redis as RedisAddress, logger: false })

/** What node-redis 5 gives, as far as it can be told from a client of ioredis. */
const nodeRedisClient = () => ({
  options: { url: 'redis://:secret@localhost' },
  isOpen: false,
  isReady: false,
  duplicate: () => nodeRedisClient(),
  sendCommand: () => Promise.resolve(),
  connect: () => Promise.resolve(),
  sAdd: () => Promise.resolve(),
})

describe('an address that leads nowhere is refused by the path and the value', () => {
  const rows: [string, unknown, string, RegExp][] = [
    ['nothing', undefined, 'redis', /^redis: expected a redis:\/\/ URL, .*got nothing/],
    ['null', null, 'redis', /^redis: expected a redis:\/\/ URL, .*got null/],
    ['a number', 6379, 'redis', /^redis: expected a redis:\/\/ URL, .*got 6379/],
    ['no text', '', 'redis', /got "": is a variable not set\?/],
    ['blanks', '  ', 'redis', /got " {2}": is a variable not set\?/],
    ['no scheme', 'localhost:6379', 'redis', /got "localhost:6379": put redis:\/\/ before it/],
    ['no scheme, with a password', 'me:secret@localhost:6379', 'redis', /got something else/],
    ['another scheme', 'http://:secret@localhost', 'redis', /got http:/],
    ['no host', 'redis://', 'redis', /names no host/],
    ['no host, a database', 'redis:///1', 'redis', /names no host/],
    ['a port in letters', 'redis://:secret@localhost:abc', 'redis', /no valid URL; the port is a number/],
    ['a port out of range', 'redis://:secret@localhost:65536', 'redis', /no valid URL; the port is a number/],
    ['port 0', 'redis://localhost:0', 'redis', /from 1 to 65535, got 0/],
    [
      'a database in letters',
      'redis://localhost/prod',
      'redis',
      /number of a database after the host, got "prod"/,
    ],
    ['a database in letters, as a parameter', 'redis://localhost?db=prod', 'redis.db', /got "prod"/],
    ['a socket with such a database', '/tmp/redis.sock?db=prod', 'redis.db', /got "prod"/],
    [
      'a prefix in the address',
      'redis://localhost?keyPrefix=app:',
      'redis.keyPrefix',
      /give `namespace` instead/,
    ],
    [
      'a prefix beside a socket',
      '/tmp/redis.sock?keyPrefix=app:',
      'redis.keyPrefix',
      /give `namespace` instead/,
    ],
    ['no options', {}, 'redis', /expected host, port, path or sentinels .*got \{\}: is a variable not set\?/],
    ['a password alone', { password: 'secret' }, 'redis', /got only password/],
    ['options of node-redis', { url: 'redis://:secret@localhost' }, 'redis', /got only url/],
    ['a URL object', new URL('redis://:secret@localhost'), 'redis', /got a URL; give its href/],
    [
      'port abc',
      { port: 'abc' },
      'redis.port',
      /^redis\.port: expected a whole number from 1 to 65535, got "abc"$/,
    ],
    ['port 70000', { host: 'h', port: 70_000 }, 'redis.port', /got 70000$/],
    ['port 0 among options', { port: 0 }, 'redis.port', /got 0$/],
    ['port 6379.5', { port: 6379.5 }, 'redis.port', /got 6379.5$/],
    ['port NaN', { port: Number.NaN }, 'redis.port', /got NaN$/],
    ['host without text', { host: '' }, 'redis.host', /expected a string, got ""/],
    ['host as a number', { host: 7 }, 'redis.host', /expected a string, got 7/],
    ['db abc', { host: 'h', db: 'abc' }, 'redis.db', /got "abc"/],
    ['db -1', { host: 'h', db: -1 }, 'redis.db', /got -1/],
    ['a password as a number', { host: 'h', password: 4711 }, 'redis.password', /of type number$/],
    ['no Sentinels', { sentinels: [], name: 'm' }, 'redis.sentinels', /at least one/],
    ['a Sentinel port', { sentinels: [{ port: 'x' }], name: 'm' }, 'redis.sentinels[0].port', /got "x"/],
    ['no name of the master', { sentinels: [{ host: 'h' }] }, 'redis.name', /got nothing/],
    ['a prefix', { host: 'h', keyPrefix: 'app:' }, 'redis.keyPrefix', /^redis\.keyPrefix: .*`namespace`/],
    ['a prefix at a node', [{ host: 'h', keyPrefix: 'app:' }], 'redis[0].keyPrefix', /`namespace`/],
    ['a database at a node', ['redis://h:1/3'], 'redis[0]', /expected redis:\/\/host:port/],
    ['a node-redis client', nodeRedisClient(), 'redis', /this is a node-redis client; give the URL of Redis/],
    ['another client', { send: () => 1, connected: true }, 'redis', /this is no client of ioredis; give/],
  ]
  it.each(rows)('%s', async (_what, redis, path, words) => {
    const said: unknown = await refusal(redis).catch((error: unknown) => error)
    expect(said).toMatchObject({
      code: 'settings_invalid',
      path,
      message: expect.stringMatching(words) as string,
    })
    expect(String(said)).not.toMatch(/secret|4711/)
  })

  it('a prefix of a client, of a Cluster, or of its nodes', async () => {
    const clients: [Redis | Cluster, string][] = [
      [new Redis({ lazyConnect: true, keyPrefix: 'app:' }), 'redis.keyPrefix'],
      [new Cluster([{ port: 1 }], { lazyConnect: true, keyPrefix: 'app:' }), 'redis.keyPrefix'],
      [
        new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } }),
        'redis.keyPrefix',
      ],
    ]
    for (const [client, path] of clients) {
      await expect(refusal(client)).rejects.toMatchObject({ code: 'settings_invalid', path })
      client.disconnect()
    }
  })
})

describe('the number of the database is read from every form of address', () => {
  const lazy = (options: RedisOptions) => new Redis({ lazyConnect: true, ...options })
  const rows: [string, RedisAddress, number][] = [
    ['a URL without one', 'redis://localhost', 0],
    ['the path of a URL', 'redis://localhost:6379/3', 3],
    ['the path of a URL with TLS', 'rediss://localhost:6379/3', 3],
    ['a parameter', 'redis://localhost?db=3', 3],
    ['a parameter beside a socket', '/tmp/redis.sock?db=3', 3],
    ['Sentinels', 'redis+sentinel://one,two/fleet/3', 3],
    ['a Cluster', 'redis+cluster://one,two', 0],
    ['options', { host: 'localhost', db: 3 }, 3],
    ['options in digits', { host: 'localhost', db: '3' as unknown as number }, 3],
    ['a client', lazy({ db: 3 }), 3],
  ]
  it.each(rows)('%s', (_what, address, database) => {
    expect(databaseOf(openClient(address, manner))).toBe(database)
  })
})

describe('how a connection behaves is not for the address to say', () => {
  const theirs: RedisOptions = {
    lazyConnect: false,
    enableOfflineQueue: true,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 7,
    readOnly: true,
    stringNumbers: true,
    commandTimeout: 5,
    socketTimeout: 5,
    retryStrategy: () => null,
    reconnectOnError: () => 2,
  }
  const OF_USE = { tls: { servername: 'redis.internal' }, username: 'me', password: 'secret', family: 4 }

  it.each([
    ['commands', requestManner(OPTIONS).redis],
    ['blocking', patientManner(OPTIONS).redis],
    ['subscription', subscriberManner(OPTIONS).redis],
  ])('options of the user (%s)', (_what, ours) => {
    const client = openClient({ host: 'h', ...theirs, ...OF_USE }, { ...manner, redis: ours })
    expect(client.options).toMatchObject({ ...OF_USE, ...ours })
    expect(client.status).toBe('wait')
  })

  it('parameters of a URL: those that say where Redis is stay', () => {
    const url = 'redis://h:1/2?enableOfflineQueue=true&maxRetriesPerRequest=9&lazyConnect=&family=6'
    const { options, status } = openClient(url, manner)
    expect(options).toMatchObject({ host: 'h', port: 1, db: 2, family: 6, ...manner.redis })
    expect(status).toBe('wait')
  })

  it('options of a Cluster that reads from replicas', () => {
    const mine = new Cluster([{ host: 'h' }], {
      lazyConnect: true,
      scaleReads: 'slave',
      shardedSubscribers: true,
    })
    expect(openClient(mine, manner).options).toMatchObject({
      scaleReads: 'master',
      shardedSubscribers: false,
    })
  })
})
