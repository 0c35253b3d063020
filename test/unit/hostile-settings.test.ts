import { describe, expect, it } from 'vitest'
import { checkArgument } from '../../src/config/check.js'
import { parseJsonPath } from '../../src/config/probe/json-path.js'
import { idSchema } from '../../src/config/options.js'
import { resolveSettings } from '../../src/config/settings.js'
import { PROBE_KINDS, type SettingsInput } from '../../src/index.js'

/** What a file, a script or an enemy may hand over; each is refused by one sentence that names path and value. */
const resolve = (input: unknown) => resolveSettings(input as SettingsInput)

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.message
    throw error
  }
  return 'accepted'
}

const DAY = 86_400_000
const WHOLE = (min: number, max: number) => `expected a whole number from ${min} to ${max}`
const NAME = 'expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -'
const HOST = 'expected the name or address of a host, without a port'
const REDIS = 'expected redis://host:port, rediss://host:port or the path of a socket'
const ENV = 'expected the name of an environment variable that begins with BUSBAR_PROBE_'
const PATH = 'expected a path of at most 20 names and indexes, such as $.status or checks[0].state'
const ONE = 'expected exactly one of equals, oneOf, above, below, exists beside path'
const SCALAR = 'expected text of at most 512 characters, a number, true, false or null'

const http = (more: object) => ({ kind: 'http', url: 'http://a/', ...more })
const json = (...conditions: unknown[]) => http({ json: conditions })
const tcp = (more: object) => ({ kind: 'tcp', host: 'a', port: 1, ...more })
const redis = (more: object) => ({ kind: 'redis', url: 'redis://a:6379', ...more })

describe('an id is refused:', () => {
  it.each<[string, unknown, string]>([
    ['a path upwards with a blank', '../ etc', '"../ etc"'],
    ['a line break at its end', 'openai\n', '"openai\\n"'],
    ['the braces of a hash tag', 'a}{b', '"a}{b"'],
    ['a wildcard', '*', '"*"'],
    ['a letter that looks like another', 'оpenai', '"оpenai"'],
    ['an object that says it is text', { toString: () => 'a' }, '{}'],
    ['something without end', 'a'.repeat(1_000_000), `"${'a'.repeat(79)}…`],
  ])('%s', (_, id, shown) => {
    expect(messageOf(() => checkArgument(idSchema, id, 'id'))).toBe(`id: ${NAME}, got ${shown}`)
  })
})

describe('settings of the breaker are refused:', () => {
  it.each<[string, object, string]>([
    [
      'a recovery that does not exist',
      { breaker: { recovery: 'hope' } },
      'breaker.recovery: expected one of traffic, probe, both, got "hope"',
    ],
    [
      'a recovery by number',
      { breaker: { recovery: 1 } },
      'breaker.recovery: expected one of traffic, probe, both, got 1',
    ],
    [
      'a recovery by probes that there are not',
      { breaker: { recovery: 'probe' } },
      'breaker.recovery: recovery "probe" needs the setting probe, which is missing: nothing could close the circuit',
    ],
    [
      'infinity',
      { breaker: { cooldownMs: Infinity } },
      `breaker.cooldownMs: ${WHOLE(1, 30 * DAY)}, got Infinity`,
    ],
    ['not a number', { breaker: { cooldownMs: NaN } }, `breaker.cooldownMs: ${WHOLE(1, 30 * DAY)}, got NaN`],
    [
      'a number as text',
      { breaker: { failureThreshold: '3' } },
      `breaker.failureThreshold: ${WHOLE(1, 1_000_000)}, got "3"`,
    ],
    [
      'half a failure',
      { breaker: { failureThreshold: 0.5 } },
      `breaker.failureThreshold: ${WHOLE(1, 1_000_000)}, got 0.5`,
    ],
    [
      'a number beyond all digits',
      { history: { maxRecords: 2 ** 60 } },
      `history.maxRecords: ${WHOLE(1, 10_000_000)}, got 1152921504606847000`,
    ],
  ])('%s', (_, input, message) => {
    expect(messageOf(() => resolve(input))).toBe(message)
  })

  it('but not a recovery by probes whose settings are the connection’s', () => {
    const probe = { kind: 'tcp', host: 'a', port: 1 } as const
    const { breaker } = resolveSettings({ breaker: { recovery: 'probe' } }, { probe })
    expect(breaker.recovery).toBe('probe')
    expect(resolveSettings({ probe }, { breaker: { recovery: 'probe' } }).probe).toMatchObject(probe)
  })
})

describe('a probe is refused:', () => {
  it.each<[string, unknown, string]>([
    ['a list', [], 'probe: expected an object with kind, got []'],
    [
      'a kind of another type',
      { kind: ['http'] },
      `probe.kind: expected one of ${PROBE_KINDS.join(', ')}, got ["http"]`,
    ],
    [
      'a kind that is a property of every object',
      { kind: 'constructor' },
      `probe.kind: expected one of ${PROBE_KINDS.join(', ')}, got "constructor"`,
    ],
    // Times.
    [
      'suspicion that makes probes rarer',
      tcp({ suspiciousIntervalMs: 10_001 }),
      'probe.suspiciousIntervalMs: suspiciousIntervalMs 10001 is longer than intervalMs 10000: suspicion would make probes rarer',
    ],
    [
      'a suspicious interval too short',
      tcp({ suspiciousIntervalMs: 9 }),
      `probe.suspiciousIntervalMs: ${WHOLE(10, DAY)}, got 9`,
    ],
    [
      'a time limit beyond the suspicious interval',
      tcp({ suspiciousIntervalMs: 500, timeoutMs: 501 }),
      'probe.timeoutMs: timeoutMs 501 is longer than suspiciousIntervalMs 500: two probes would overlap',
    ],
    [
      'a time limit beyond the interval while down',
      tcp({ downIntervalMs: 400, timeoutMs: 2_000 }),
      'probe.timeoutMs: timeoutMs 2000 is longer than downIntervalMs 400: two probes would overlap',
    ],
    [
      'an interval while down too long',
      tcp({ downIntervalMs: DAY + 1 }),
      `probe.downIntervalMs: ${WHOLE(10, DAY)}, got ${DAY + 1}`,
    ],
    ['no rise', tcp({ healthyAfter: 0 }), `probe.healthyAfter: ${WHOLE(1, 1_000)}, got 0`],
    ['an endless fall', tcp({ unhealthyAfter: 1_001 }), `probe.unhealthyAfter: ${WHOLE(1, 1_000)}, got 1001`],
    [
      'slowness beyond the time limit that follows from another',
      redis({ downIntervalMs: 100, degradedMs: 100 }),
      'probe.degradedMs: degradedMs 100 is not below timeoutMs 100: no answer could be degraded',
    ],
    // Conditions on JSON.
    [
      'a regular expression',
      http({ bodyMatches: '(a+)+$' }),
      'probe.bodyMatches: unknown setting (got "(a+)+$")',
    ],
    ['no condition', json(), 'probe.json: expected a list of 1 to 20 conditions, got []'],
    [
      'too many conditions',
      json(...Array.from({ length: 21 }, () => ({ path: 'a', equals: 1 }))),
      `probe.json: expected a list of 1 to 20 conditions, got [${Array.from(
        { length: 21 },
        () => '{"path":"a","equals":1}',
      )
        .join(',')
        .slice(0, 79)}…`,
    ],
    [
      'a condition alone',
      http({ json: { path: 'a', equals: 1 } }),
      'probe.json: expected a list of 1 to 20 conditions, got {"path":"a","equals":1}',
    ],
    [
      'a condition without a path',
      json({ equals: 1 }),
      'probe.json.0.path: expected text of at most 512 characters, got nothing',
    ],
    [
      'code as a path',
      json({ path: '$..[?(@.a>1)]', exists: true }),
      `probe.json.0.path: ${PATH}, got "$..[?(@.a>1)]"`,
    ],
    [
      'a path that goes too deep',
      json({ path: Array.from({ length: 21 }, () => 'a').join('.'), exists: true }),
      `probe.json.0.path: ${PATH}, got "${'a.'.repeat(20)}a"`,
    ],
    ['a condition that wants nothing', json({ path: 'a' }), `probe.json.0: ${ONE}, got {"path":"a"}`],
    [
      'a condition that wants two things',
      json({ path: 'a', above: 1, below: 2 }),
      `probe.json.0: ${ONE}, got {"path":"a","above":1,"below":2}`,
    ],
    ['a value that is an object', json({ path: 'a', equals: {} }), `probe.json.0.equals: ${SCALAR}, got {}`],
    [
      'a value that is too long',
      json({ path: 'a', equals: 'x'.repeat(513) }),
      `probe.json.0.equals: expected text of at most 512 characters, got "${'x'.repeat(79)}…`,
    ],
    [
      'a limit that is not a number',
      json({ path: 'a', above: NaN }),
      'probe.json.0.above: expected a number, got NaN',
    ],
    [
      'a list of no values',
      json({ path: 'a', oneOf: [] }),
      'probe.json.0.oneOf: expected a list of 1 to 50 values, got []',
    ],
    [
      'an operator that does not exist',
      json({ path: 'a', matches: 'x' }),
      'probe.json.0.matches: unknown setting (got "x")',
    ],
    // TCP.
    ['no host', { kind: 'tcp', port: 1 }, `probe.host: ${HOST}, got nothing`],
    ['a host with its port', tcp({ host: 'a:80' }), `probe.host: ${HOST}, got "a:80"`],
    ['a URL for a host', tcp({ host: 'http://a/' }), `probe.host: ${HOST}, got "http://a/"`],
    ['a host with a NUL', tcp({ host: 'a\0b' }), `probe.host: ${HOST}, got "a\\u0000b"`],
    [
      'a host of a million dots and an end',
      tcp({ host: `a${'.'.repeat(1_000_000)}!` }),
      `probe.host: ${HOST}, got "a${'.'.repeat(78)}…`,
    ],
    ['port 0', tcp({ port: 0 }), `probe.port: ${WHOLE(1, 65_535)}, got 0`],
    ['a port beyond all ports', tcp({ port: 65_536 }), `probe.port: ${WHOLE(1, 65_535)}, got 65536`],
    [
      'no TLS in so many words',
      tcp({ tls: false }),
      'probe.tls: expected true, or an object with servername, minDaysToExpiry or rejectUnauthorized, got false',
    ],
    [
      'a certificate that is to last for ever',
      tcp({ tls: { minDaysToExpiry: 36_501 } }),
      `probe.tls.minDaysToExpiry: ${WHOLE(1, 36_500)}, got 36501`,
    ],
    [
      'a key in the settings',
      tcp({ tls: { key: 'secret' } }),
      'probe.tls.key: unknown setting (its value is not shown)',
    ],
    // Redis.
    ['a URL of HTTP', redis({ url: 'http://a/' }), `probe.url: ${REDIS}, got "http://a/"`],
    [
      'a URL with a password',
      redis({ url: 'redis://:hunter2@a:6379' }),
      `probe.url: ${REDIS}, without credentials: name them by usernameEnv and passwordEnv`,
    ],
    [
      'a URL that is none, and may hold a password',
      redis({ url: 'redis:/:hunter2@a' }),
      `probe.url: ${REDIS}, without credentials`,
    ],
    [
      'a database, which a PING does not need',
      redis({ url: 'redis://a:6379/3' }),
      `probe.url: ${REDIS}, and nothing behind it, got "redis://a:6379/3"`,
    ],
    [
      'a password itself',
      redis({ password: 'hunter2' }),
      'probe.password: unknown setting (its value is not shown)',
    ],
    [
      'a secret of another',
      redis({ passwordEnv: 'AWS_SECRET_ACCESS_KEY' }),
      `probe.passwordEnv: ${ENV}, got "AWS_SECRET_ACCESS_KEY"`,
    ],
    [
      'a user without a password',
      redis({ usernameEnv: 'BUSBAR_PROBE_USER' }),
      'probe.usernameEnv: usernameEnv BUSBAR_PROBE_USER is given without passwordEnv: AUTH needs both',
    ],
    [
      'a role by its old name',
      redis({ role: 'slave' }),
      'probe.role: expected one of master, replica, got "slave"',
    ],
    // Named in the worker.
    [
      'a command',
      { kind: 'process', name: 'a', command: ['rm', '-rf', '/'] },
      'probe.command: unknown setting (got ["rm","-rf","/"])',
    ],
    ['a pid', { kind: 'process', name: 'a', pid: 1 }, 'probe.pid: unknown setting (got 1)'],
    ['a process without a name', { kind: 'process' }, `probe.name: ${NAME}, got nothing`],
    [
      'code',
      { kind: 'function', name: '() => process.exit()' },
      `probe.name: ${NAME}, got "() => process.exit()"`,
    ],
    ['a function itself', { kind: 'function', name: () => true }, `probe.name: ${NAME}, got a function`],
    [
      'a heartbeat that never falls silent',
      { kind: 'heartbeat' },
      `probe.ttlMs: ${WHOLE(10, DAY)}, got nothing`,
    ],
    [
      'a heartbeat that stalls at once',
      { kind: 'heartbeat', ttlMs: 10, stallMs: 0 },
      `probe.stallMs: ${WHOLE(10, DAY)}, got 0`,
    ],
    [
      'settings of another kind',
      { kind: 'heartbeat', ttlMs: 10, url: 'http://a/' },
      'probe.url: unknown setting (got "http://a/")',
    ],
  ])('%s', (_, probe, message) => {
    expect(messageOf(() => resolve({ probe }))).toBe(message)
  })
})

describe('a probe is accepted', () => {
  it.each<[object, object]>([
    [tcp({}), { timeoutMs: 2_000, intervalMs: 10_000, healthyAfter: 1, unhealthyAfter: 1 }],
    [tcp({ host: '::1' }), { host: '::1' }],
    [tcp({ host: 'fe80::1%eth0' }), { host: 'fe80::1%eth0' }],
    [tcp({ host: '127.0.0.1' }), { host: '127.0.0.1' }],
    [tcp({ host: 'db_1.svc.example.com.' }), { host: 'db_1.svc.example.com.' }],
    [tcp({ tls: true }), { tls: { rejectUnauthorized: true } }],
    [tcp({ tls: { minDaysToExpiry: 14 } }), { tls: { rejectUnauthorized: true, minDaysToExpiry: 14 } }],
    [tcp({ suspiciousIntervalMs: 500, downIntervalMs: DAY }), { timeoutMs: 500, downIntervalMs: DAY }],
    [redis({ url: '/run/redis.sock' }), { url: '/run/redis.sock' }],
    [redis({ url: 'rediss://[::1]:6379/' }), { url: 'rediss://[::1]:6379/' }],
    [redis({ passwordEnv: 'BUSBAR_PROBE_PW' }), { passwordEnv: 'BUSBAR_PROBE_PW' }],
    [json({ path: 'a', equals: null }), { json: [{ path: 'a', equals: null }] }],
    [
      { kind: 'heartbeat', ttlMs: 10, process: 'agent-1' },
      { ttlMs: 10, process: 'agent-1' },
    ],
  ])('%j', (probe, kept) => {
    const resolved = resolve({ probe }).probe
    expect(resolved).toMatchObject(kept)
    // What is accepted once is accepted again, from Redis, as the same.
    expect(resolve({ probe: resolved }).probe).toEqual(resolved)
  })
})

describe('a path in JSON', () => {
  it.each<[string, readonly (string | number)[] | undefined]>([
    ['$', []],
    ['$.a', ['a']],
    ['a', ['a']],
    ['a.b[0].c', ['a', 'b', 0, 'c']],
    ['$[0][1]', [0, 1]],
    ['[3]', [3]],
    ['a-b.c_d', ['a-b', 'c_d']],
    ['$a', undefined],
    ['', undefined],
    ['.a', undefined],
    ['a.', undefined],
    ['a..b', undefined],
    ['a[-1]', undefined],
    ['a[*]', undefined],
    ['a["b"]', undefined],
    ['a b', undefined],
    ['a[1', undefined],
    [`a${'[0]'.repeat(10_000)}`, undefined],
  ])('%j', (text, path) => {
    expect(parseJsonPath(text)).toEqual(path)
  })
})
