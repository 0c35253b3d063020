import { describe, expect, it } from 'vitest'
import { meansLost, type RedisFailure } from '../../src/model/errors.js'
import { parseSeveral } from '../../src/redis/address-url.js'
import { openClient, type RedisAddress } from '../../src/redis/address.js'
import { unavailable } from '../../src/redis/errors.js'

const said = (message: string) => unavailable('admit openai', new Error(message), 200)

describe('an error of Redis', () => {
  const rows: [string, RegExp, RedisFailure | 'locked out'][] = [
    [
      "READONLY You can't write against a read only replica.",
      /is a replica and takes no writes/,
      'refuses_writes',
    ],
    ['LOADING Redis is loading the dataset in memory', /still loading/, 'transient'],
    ['BUSY Redis is busy running a script. You can only call SCRIPT KILL', /SCRIPT KILL/, 'transient'],
    ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory/, 'refuses_writes'],
    [
      'ERR Error running script (call to f_ab): @user_script:9: @user_script: 9: -OOM command not allowed',
      /maxmemory/,
      'refuses_writes',
    ],
    ['NOAUTH Authentication required.', /asks for a password/, 'locked out'],
    [
      'WRONGPASS invalid username-password pair or user is disabled.',
      /does not know this user/,
      'locked out',
    ],
    ["NOPERM User bus has no permissions to run the 'hget' command", /lacks a right/, 'permanent'],
    [
      "ERR The user executing the script can't run this command or subcommand script: ab",
      /lacks a right/,
      'permanent',
    ],
    ['DENIED Redis is running in protected mode', /protected mode/, 'locked out'],
    ['CLUSTERDOWN Hash slot not served', /serves not all of its slots/, 'transient'],
    ['MOVED 3999 127.0.0.1:6381', /redis\+cluster:\/\//, 'locked out'],
    ['ASK 3999 127.0.0.1:6381', /redis\+cluster:\/\//, 'transient'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', /being moved/, 'transient'],
    [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      /lost its master/,
      'transient',
    ],
    ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/, 'refuses_writes'],
    ['MISCONF Redis is configured to save RDB snapshots', /cannot save/, 'refuses_writes'],
    ['ERR max number of clients reached', /maxclients/, 'transient'],
    ['ERR This instance has cluster support disabled', /not a node of a Cluster/, 'locked out'],
    ['self-signed certificate', /tls\.ca/, 'locked out'],
    ['Command timed out', /^no answer within 200 ms$/, 'unanswered'],
    ["Stream isn't writeable and enableOfflineQueue options is false", /^not connected$/, 'unanswered'],
    ["Cluster isn't ready and enableOfflineQueue options is false", /^not connected$/, 'unanswered'],
    ['Connection is closed.', /^not connected$/, 'unanswered'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', /busbar doctor/, 'permanent'],
    ['Reached the max retries per request limit (which is 0).', /^not connected$/, 'unanswered'],
    ['BUSYKEY Target key name already exists.', /^BUSYKEY/, 'unanswered'],
    ['something else', /^something else$/, 'unanswered'],
  ]
  it.each(rows)('%s: says what it means, what to do, and whether waiting helps', (message, words, how) => {
    const error = said(message)
    expect(error).toMatchObject({
      code: 'redis_unavailable',
      failure: how === 'locked out' ? 'permanent' : how,
      lockedOut: how === 'locked out',
    })
    // What Redis refuses to this command alone is no outage.
    expect(meansLost(error)).toBe(how !== 'permanent')
    const { cause } = error
    expect(cause instanceof Error ? cause.message : cause).toMatch(words)
    expect(error.message).toContain('admit openai')
    if (/^[A-Z]+ /.test(message)) expect(error.message).toContain(message)
  })

  it('of a Cluster of which no node answers is that of the last node', () => {
    const all = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: new Error('connect ECONNREFUSED 127.0.0.1:1'),
    })
    expect(unavailable('a connection', all, 200).message).toContain('ECONNREFUSED')
  })

  it('is shown in part when it is long', () => {
    expect(said(`OOM ${'x'.repeat(5_000)}`).message.length).toBeLessThan(600)
  })
})

describe('an address of several servers', () => {
  it('of Sentinels has hosts, the name of the master, a database, and two kinds of passwords', () => {
    const url =
      'rediss+sentinel://me:s%40cret@one:1,two,[::1]:3/fleet/2?sentinelUsername=watch&sentinelPassword=p%40w'
    expect(parseSeveral(url)).toEqual({
      kind: 'sentinel',
      options: {
        sentinels: [
          { host: 'one', port: 1 },
          { host: 'two', port: 26_379 },
          { host: '::1', port: 3 },
        ],
        name: 'fleet',
        db: 2,
        username: 'me',
        password: 's@cret',
        tls: {},
        sentinelTLS: {},
        enableTLSForSentinelMode: true,
        sentinelUsername: 'watch',
        sentinelPassword: 'p@w',
      },
    })
  })

  it('of a Cluster has hosts, user and password', () => {
    expect(parseSeveral('redis+cluster://:secret@one:1,two/')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'one', port: 1 },
        { host: 'two', port: 6_379 },
      ],
      access: { password: 'secret' },
    })
    expect(parseSeveral('redis://one:1')).toBeUndefined()
  })

  const wrong: [RedisAddress, RegExp][] = [
    ['redis+sentinel://one:1,two:2', /name of the master is missing/],
    ['redis+sentinel://one:1/fleet/x', /only a database may follow/],
    ['redis+sentinel://one:1/fleet?password=secret', /unknown parameter password/],
    ['redis+sentinel://one:1,/fleet', /no host:port/],
    ['redis+sentinel://one:99999/fleet', /no host:port/],
    ['redis+sentinel://:secret%@one/fleet', /percent/],
    ['redis+sentinel://:sec@secret@one/fleet', /percent-encoded/],
    ['redis+cluster://a:b:secret@one', /percent-encoded/],
    ['redis+cluster://:sec/secret@one', /percent-encoded/],
    ['redis+cluster://one/3', /no database but 0/],
    ['redis+cluster://one?x=secret', /no parameters/],
    ['redis+cluster://', /no host:port/],
    ['http://:secret@one', /redis\+sentinel:\/\/.*got http:/],
    [[], /at least one node/],
    [['one:6379'], /redis\[0\]: expected redis:\/\/host:port/],
    [[{ host: 'one' }, { host: 'two', port: 0 }], /redis\[1\]: expected/],
  ]
  it.each(wrong)('%j makes no sense, and the error says so without a password', (address, words) => {
    const manner = { redis: { lazyConnect: true }, cluster: { lazyConnect: true }, sentinel: {} }
    const refused = () => openClient(address, manner)
    expect(refused).toThrow(words)
    expect(refused).toThrow(expect.objectContaining({ code: 'settings_invalid' }))
    expect(refused).not.toThrow(/secret/)
  })
})
