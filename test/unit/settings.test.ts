import { describe, expect, it } from 'vitest'
import { connect, DEFAULTS, PROBE_KINDS, type ConnectOptions, type SettingsInput } from '../../src/index.js'
import { checkArgument, checkSettings } from '../../src/config/check.js'
import { diffSettings, flattenSettings, unflattenSettings } from '../../src/config/flat.js'
import * as options from '../../src/config/options.js'
import { resolveSettings } from '../../src/config/settings.js'
import { createTestBusbar } from '../../src/testing.js'

const WHOLE = (min: number, max: number) => `expected a whole number from ${min} to ${max}`
const NUMBER = (min: number, max: number) => `expected a number from ${min} to ${max}`
const NAME = 'expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -'
const DAY = 86_400_000

/** What a caller without types, or a file, may hand over. */
const resolve = (input: unknown, defaults?: unknown) =>
  resolveSettings(input as SettingsInput, defaults as SettingsInput)

/** What it threw, as what matters of it. */
function failure(act: () => unknown) {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { name, message } = error
    return { name, message, code: 'code' in error && error.code, path: 'path' in error && error.path }
  }
  throw new Error('it was accepted')
}

const settingsError = (path: string, message: string) => ({
  name: 'SettingsError',
  code: 'settings_invalid',
  path,
  message,
})

describe('the defaults', () => {
  it('are these, and changing one is a change that users notice', () => {
    expect(DEFAULTS).toEqual({
      alerts: {
        on: ['opened', 'closed', 'reset', 'probe_overdue', 'worker_suspected', 'worker_cleared'],
        groupMs: 10_000,
        retryMs: 5_000,
      },
      breaker: {
        failureThreshold: 3,
        minimumCalls: 20,
        rateWindowMs: 10_000,
        quorum: 1,
        quorumGraceMs: 5_000,
        cooldownMs: 30_000,
        successThreshold: 1,
        halfOpenMaxTrials: 1,
        trialLeaseMs: 30_000,
        cooldownMultiplier: 1,
        maxCooldownMs: 600_000,
        cooldownJitter: 0,
        maxThrottleMs: 600_000,
        enforce: true,
        recovery: 'both',
        recoveryRampMs: 0,
      },
      history: { maxRecords: 100_000, windowMs: 60_000, degradationThreshold: 0.8 },
      probe: { intervalMs: 10_000, timeoutMs: 2_000, healthyAfter: 1, unhealthyAfter: 1 },
      httpProbe: { method: 'GET', headers: {}, expectStatus: ['2xx'] },
      httpRoute: { proxy: 'env', http2: false },
      connect: {
        namespace: 'busbar',
        consistency: 'cached',
        onRedisDown: 'local',
        commandTimeoutMs: 200,
        flushIntervalMs: 100,
        maxBatchesPerSecond: 1_000,
        probeQueues: 1,
        unref: false,
      },
      probes: { concurrency: 16 },
      family: { maxHandles: 1_000, idleExpireMs: 7 * 86_400_000 },
      guard: {
        spreadMs: 1_000,
        maxDeferMs: 86_400_000,
        deferOn: 'refusal',
        outageWaitMs: 1_000,
        deferOnly: false,
      },
    })
  })

  it('cannot be changed by anybody', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(DEFAULTS)).toBe(true)
  })

  it('are what a provider gets that asks for nothing', () => {
    expect(resolve(undefined)).toEqual({ breaker: DEFAULTS.breaker, history: DEFAULTS.history })
    expect(resolve({ breaker: {}, history: {} })).toEqual(resolve({}))
    expect(resolve({ breaker: { cooldownMs: undefined }, slowMs: undefined })).toEqual(resolve({}))
  })

  it('are what a probe gets that names only its URL', () => {
    const url = 'https://api.example.com/health'
    expect(resolve({ probe: { kind: 'http', url } }).probe).toEqual({
      kind: 'http',
      url,
      ...DEFAULTS.httpProbe,
      ...DEFAULTS.probe,
    })
  })

  it('of one setting follow another where they must', () => {
    expect(resolve({ breaker: { cooldownMs: 700_000 } }).breaker.maxCooldownMs).toBe(700_000)
    const probe = { kind: 'http', url: 'http://a/', intervalMs: 1_000 }
    expect(resolve({ probe }).probe?.timeoutMs).toBe(1_000)
  })
})

describe('settings come', () => {
  it('from those given, over those of the connection, over the built-in ones, one by one', () => {
    const defaults = { breaker: { failureThreshold: 9, cooldownMs: 7 }, history: { windowMs: 5 }, slowMs: 11 }
    expect(resolve({ breaker: { cooldownMs: 8 } }, defaults)).toEqual({
      breaker: { ...DEFAULTS.breaker, failureThreshold: 9, cooldownMs: 8 },
      history: { ...DEFAULTS.history, windowMs: 5 },
      slowMs: 11,
    })
  })

  it('back from Redis as they went there', () => {
    const settings = resolve({
      breaker: { enforce: false, cooldownMultiplier: 1.25 },
      history: { degradationThreshold: 0.123 },
      slowMs: 3,
      probe: { kind: 'http', url: 'http://a/?b={}', headers: { a: '"' }, expectStatus: [200, '3xx'] },
    })
    expect(unflattenSettings(flattenSettings(settings))).toEqual({ settings, unread: [] })
  })

  const PROBE = JSON.stringify({ kind: 'http', url: 'http://a/' })

  it('back from Redis apart from what a later version wrote there', () => {
    const flat = { ...flattenSettings(resolve({})), 'breaker.luckRate': '0.5', chaos: 'true' }
    expect(unflattenSettings(flat)).toEqual({
      settings: resolve({}),
      unread: [
        { path: 'breaker.luckRate', stored: '0.5', problem: null },
        { path: 'chaos', stored: 'true', problem: null },
      ],
    })
  })

  it.each<[string, string, string]>([
    ['breaker.cooldownMs', 'soon', `${WHOLE(1, 30 * DAY)}, got "soon"`],
    ['breaker.cooldownMs', '', `${WHOLE(1, 30 * DAY)}, got ""`],
    ['breaker.failureThreshold', '1000001', `${WHOLE(1, 1_000_000)}, got 1000001`],
    ['breaker.enforce', 'sometimes', 'expected true or false, got "sometimes"'],
    ['breaker.recovery', 'prayer', 'expected one of traffic, probe, both, got "prayer"'],
    ['breaker.maxCooldownMs', '29999', 'maxCooldownMs 29999 is below cooldownMs 30000'],
    ['history.windowMs', '0', `${WHOLE(1, 7 * DAY)}, got 0`],
    ['slowMs', 'never', `${WHOLE(1, DAY)}, got "never"`],
    ['probe', 'no JSON', 'what is stored is not JSON'],
    ['probe', '"http"', 'expected an object with kind, got "http"'],
    ['probe', '{"kind":"http","url":""}', ''],
    ['probe', '{"kind":"grpc","port":1}', 'kind "grpc" is not known to this version of Busbar'],
  ])('back from Redis with the default of %s where %s stands there, and why', (path, stored, why) => {
    const sent = flattenSettings(resolve({ slowMs: 7, probe: JSON.parse(PROBE) as unknown }))
    const { settings, unread } = unflattenSettings({ ...sent, [path]: stored })
    const [group = '', name = group] = path.split('.')
    const without = { breaker: {}, history: {}, slowMs: 7, probe: JSON.parse(PROBE) as unknown }
    Reflect.set(name === group ? without : Reflect.get(without, group), name, undefined)
    expect(settings).toEqual(resolve(without))
    expect(unread).toEqual([{ path, stored, problem: expect.stringContaining(why) as unknown }])
  })

  it('back from Redis with each that can be read, whatever else cannot', () => {
    const sent = flattenSettings(resolve({ breaker: { failureThreshold: 9 }, slowMs: 7 }))
    const broken = { 'breaker.cooldownMs': 'x', 'history.windowMs': 'y', probe: '[]' }
    const { settings, unread } = unflattenSettings({ ...sent, ...broken })
    expect(settings).toEqual(resolve({ breaker: { failureThreshold: 9 }, slowMs: 7 }))
    expect(Object.fromEntries(unread.map(({ path, stored }) => [path, stored]))).toEqual(broken)
  })

  it('back from Redis with the recovery of a probe that a later version knows', () => {
    const flat = { ...flattenSettings(resolve({})), 'breaker.recovery': 'probe', probe: '{"kind":"grpc"}' }
    expect(unflattenSettings(flat).settings.breaker.recovery).toBe('probe')
  })

  it('into an event as what differs, before and after', () => {
    const [before, after] = [{ slowMs: 5, breaker: { cooldownMs: 1 } }, { breaker: { cooldownMs: 2 } }]
    const diff = diffSettings(flattenSettings(resolve(before)), flattenSettings(resolve(after)))
    expect(diff).toEqual({ from: 'breaker.cooldownMs=1 slowMs=5', to: 'breaker.cooldownMs=2 slowMs=-' })
    const same = flattenSettings(resolve({}))
    expect(diffSettings(same, same)).toEqual({ from: '', to: '' })
  })
})

describe('a number', () => {
  const at = (path: string, value: unknown): unknown =>
    path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)

  const BOUNDS: [string, number, number, 'whole' | 'any'][] = [
    ['breaker.failureThreshold', 1, 1_000_000, 'whole'],
    ['breaker.cooldownMs', 1, 30 * DAY, 'whole'],
    ['breaker.successThreshold', 1, 1_000_000, 'whole'],
    ['breaker.halfOpenMaxTrials', 1, 1_000, 'whole'],
    ['breaker.trialLeaseMs', 1, DAY, 'whole'],
    ['breaker.cooldownMultiplier', 1, 100, 'any'],
    ['breaker.cooldownJitter', 0, 1, 'any'],
    ['breaker.maxThrottleMs', 1, 86_400_000, 'whole'],
    ['history.maxRecords', 1, 10_000_000, 'whole'],
    ['history.windowMs', 1, 7 * DAY, 'whole'],
    ['history.degradationThreshold', 0, 1, 'any'],
    ['slowMs', 1, DAY, 'whole'],
  ]

  it.each(BOUNDS)('%s is accepted from %d to %d and refused beyond, by name', (path, min, max, kind) => {
    for (const value of [min, max]) expect(() => resolve(at(path, value))).not.toThrow()
    const expected = kind === 'whole' ? WHOLE(min, max) : NUMBER(min, max)
    const beyond = kind === 'whole' ? [min - 1, max + 1, min + 0.5] : [min - 0.01, max + 0.01]
    for (const value of [...beyond, -1, NaN, Infinity, -Infinity, 1e21]) {
      const message = `${path}: ${expected}, got ${value}`
      expect(failure(() => resolve(at(path, value)))).toEqual(settingsError(path, message))
    }
  })

  it.each<[string, unknown]>([
    ['"3"', '3'],
    ['true', true],
    ['{}', {}],
    ['[3]', [3]],
    ['a function', () => 3],
    ['Symbol(x)', Symbol('x')],
    ['3n', 3n],
    ['"2023-11-14T22:13:20.000Z"', new Date(1_700_000_000_000)],
  ])('is not %s', (shown, value) => {
    const path = 'breaker.failureThreshold'
    expect(failure(() => resolve({ breaker: { failureThreshold: value } }))).toEqual(
      settingsError(path, `${path}: ${WHOLE(1, 1_000_000)}, got ${shown}`),
    )
  })
})

describe('settings are refused, with their path and their value:', () => {
  it.each<[string, unknown, string, string]>([
    ['null', null, '', 'settings: expected an object, got null'],
    ['a number', 5, '', 'settings: expected an object, got 5'],
    ['a list', [], '', 'settings: expected an object, got []'],
    ['text', 'x', '', 'settings: expected an object, got "x"'],
    ['an unknown key', { a: 1 }, 'a', 'a: unknown setting (got 1)'],
    ['a group that is a number', { breaker: 5 }, 'breaker', 'breaker: expected an object, got 5'],
    ['a group that is null', { history: null }, 'history', 'history: expected an object, got null'],
    [
      'a misspelt key',
      { breaker: { failureTreshold: 3 } },
      'breaker.failureTreshold',
      'breaker.failureTreshold: unknown setting (got 3)',
    ],
    [
      'a flag in words',
      { breaker: { enforce: 'false' } },
      'breaker.enforce',
      'breaker.enforce: expected true or false, got "false"',
    ],
    [
      'a maximum below the base',
      { breaker: { maxCooldownMs: 10, cooldownMs: 20 } },
      'breaker.maxCooldownMs',
      'breaker.maxCooldownMs: maxCooldownMs 10 is below cooldownMs 20',
    ],
    [
      'a maximum below the base that is left out',
      { breaker: { maxCooldownMs: 10 } },
      'breaker.maxCooldownMs',
      'breaker.maxCooldownMs: maxCooldownMs 10 is below cooldownMs 30000',
    ],
    [
      'a prototype',
      JSON.parse('{"__proto__":{"a":1}}'),
      '__proto__',
      '__proto__: unknown setting (got {"a":1})',
    ],
    [
      'a prototype in a group',
      JSON.parse('{"breaker":{"__proto__":{"failureThreshold":1}}}'),
      'breaker.__proto__',
      'breaker.__proto__: unknown setting (got {"failureThreshold":1})',
    ],
    ['a constructor', { constructor: 1 }, 'constructor', 'constructor: unknown setting (got 1)'],
    [
      'very many keys',
      { breaker: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])) },
      'breaker.k0',
      'breaker.k0: unknown setting (got 0)',
    ],
    [
      'a very long value, of which only the beginning is shown',
      { slowMs: 'x'.repeat(1_000_000) },
      'slowMs',
      `slowMs: ${WHOLE(1, DAY)}, got "${'x'.repeat(79)}…`,
    ],
  ])('%s', (_, input, path, message) => {
    expect(failure(() => resolve(input))).toEqual(settingsError(path, message))
  })

  it('something that refers to itself', () => {
    const round: Record<string, unknown> = {}
    round['round'] = round
    const message = `slowMs: ${WHOLE(1, DAY)}, got [object Object]`
    expect(failure(() => resolve({ slowMs: round }))).toEqual(settingsError('slowMs', message))
  })

  it('two that clash only together with those of the connection', () => {
    const defaults = { breaker: { cooldownMs: 10, maxCooldownMs: 800 } }
    const message = 'breaker.maxCooldownMs: maxCooldownMs 800 is below cooldownMs 900'
    expect(failure(() => resolve({ breaker: { cooldownMs: 900 } }, defaults)).message).toBe(message)
  })

  it('and no prototype is changed by any of them', () => {
    failure(() => resolve(JSON.parse('{"breaker":{"__proto__":{"polluted":1}}}')))
    expect(Object.prototype).not.toHaveProperty('polluted')
  })
})

describe('a probe is refused, with its path and its value:', () => {
  const probe = (over: object) => ({ probe: { kind: 'http', url: 'http://a/', ...over } })
  const KINDS = `expected one of ${PROBE_KINDS.join(', ')}`
  const URL_ERROR = 'expected an absolute http: or https: URL'
  const STATUS_ERROR = 'expected a status from 100 to 599, or a class such as 2xx'
  const NO_PROXY_URL = 'expected env, none, or the http: or https: URL of a proxy'
  const NO_HEADER = 'expected header names and values as HTTP allows them, its value is not shown'

  it.each<[string, unknown, string, string]>([
    ['a number', { probe: 5 }, 'probe', 'expected an object with kind, got 5'],
    ['no kind', { probe: {} }, 'probe.kind', `${KINDS}, got nothing`],
    ['a kind that is not built', { probe: { kind: 'dns' } }, 'probe.kind', `${KINDS}, got "dns"`],
    ['no URL', { probe: { kind: 'http' } }, 'probe.url', `${URL_ERROR}, got nothing`],
    ['an empty URL', probe({ url: '' }), 'probe.url', `${URL_ERROR}, got ""`],
    ['a relative URL', probe({ url: '/health' }), 'probe.url', `${URL_ERROR}, got "/health"`],
    ['a host alone', probe({ url: 'api' }), 'probe.url', `${URL_ERROR}, got "api"`],
    ['another scheme', probe({ url: 'ftp://a/' }), 'probe.url', `${URL_ERROR}, got "ftp://a/"`],
    [
      'a script',
      probe({ url: 'javascript:alert(1)' }),
      'probe.url',
      `${URL_ERROR}, got "javascript:alert(1)"`,
    ],
    ['no host', probe({ url: 'http://' }), 'probe.url', `${URL_ERROR}, got "http://"`],
    ['a blank in the host', probe({ url: 'http://a b/' }), 'probe.url', `${URL_ERROR}, got "http://a b/"`],
    ['a URL that is a number', probe({ url: 5 }), 'probe.url', `${URL_ERROR}, got 5`],
    [
      'a URL without end',
      probe({ url: `http://${'a'.repeat(2_100)}` }),
      'probe.url',
      `${URL_ERROR}, got "http://${'a'.repeat(72)}…`,
    ],
    [
      'a method in small letters',
      probe({ method: 'get' }),
      'probe.method',
      'expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, got "get"',
    ],
    ['a header with a blank', probe({ headers: { 'a b': 'x' } }), 'probe.headers.a b', NO_HEADER],
    [
      'a header that ends the header',
      probe({ headers: { a: 'x\r\nhost: b' } }),
      'probe.headers.a',
      NO_HEADER,
    ],
    ['a header with a NUL', probe({ headers: { a: '\0' } }), 'probe.headers.a', NO_HEADER],
    ['a header that is a number', probe({ headers: { a: 5 } }), 'probe.headers.a', NO_HEADER],
    ['headers in a list', probe({ headers: [] }), 'probe.headers', NO_HEADER],
    [
      'a header beyond Latin-1',
      probe({ headers: { a: 'sk\u2013x ${env:A}' } }),
      'probe.headers.a',
      NO_HEADER,
    ],
    [
      'a header that says how long the request is',
      probe({ headers: { 'Content-Length': '5' } }),
      'probe.headers.Content-Length',
      'the header content-length follows from what is sent, and cannot be given',
    ],
    [
      'a header that HTTP/2 does not have',
      probe({ headers: { Connection: 'close' }, http2: true }),
      'probe.headers.Connection',
      'the header connection does not exist in HTTP/2, and http2 is true',
    ],
    [
      'port 0',
      probe({ url: 'http://a:0/' }),
      'probe.url',
      `${URL_ERROR} with a port from 1 to 65535, got "http://a:0/"`,
    ],
    [
      'a body without a method',
      probe({ body: 'hunter2' }),
      'probe.body',
      'body is given with method GET, which sends none: give method POST',
    ],
    [
      'an empty body',
      probe({ method: 'POST', body: '' }),
      'probe.body',
      'expected some text, its value is not shown',
    ],
    [
      'a body too long',
      probe({ method: 'POST', body: 'x'.repeat(16_385) }),
      'probe.body',
      'expected text of at most 16384 characters, its value is not shown',
    ],
    [
      'a broken reference in a body',
      probe({ method: 'POST', body: 'hunter2 ${KEY}' }),
      'probe.body',
      'expected references to environment variables as ${env:NAME}, its value is not shown',
    ],
    [
      'a text in an answer to HEAD',
      probe({ method: 'HEAD', bodyContains: 'ok' }),
      'probe.bodyContains',
      'bodyContains is given with method HEAD: its answer has no body',
    ],
    [
      'JSON in an answer to HEAD',
      probe({ method: 'HEAD', json: [{ path: '$', exists: true }] }),
      'probe.json',
      'json is given with method HEAD: its answer has no body',
    ],
    [
      'a text in an answer without a body',
      probe({ expectStatus: [200, '204'], bodyContains: 'ok' }),
      'probe.expectStatus',
      'expectStatus 204 is given with bodyContains: such an answer has no body',
    ],
    [
      'a proxy of another kind',
      probe({ proxy: 'socks5://a' }),
      'probe.proxy',
      `${NO_PROXY_URL}, got "socks5://a"`,
    ],
    [
      'a proxy with a path',
      probe({ proxy: 'http://a/b' }),
      'probe.proxy',
      `${NO_PROXY_URL}, got "http://a/b"`,
    ],
    ['a proxy without a scheme', probe({ proxy: 'a:3128' }), 'probe.proxy', `${NO_PROXY_URL}, got "a:3128"`],
    ['a proxy that is none', probe({ proxy: false }), 'probe.proxy', `${NO_PROXY_URL}, got false`],
    ['a proxy with a password, not repeated', probe({ proxy: 'u:hunter2@a:1' }), 'probe.proxy', NO_PROXY_URL],
    [
      'a proxy whose host is a reference',
      probe({ proxy: 'http://${env:A}' }),
      'probe.proxy',
      `${NO_PROXY_URL}, got "http://\${env:A}"`,
    ],
    ['an http2 that is a text', probe({ http2: 'yes' }), 'probe.http2', 'expected true or false, got "yes"'],
    ['a status too low', probe({ expectStatus: 99 }), 'probe.expectStatus', `${STATUS_ERROR}, got 99`],
    ['a status too high', probe({ expectStatus: 600 }), 'probe.expectStatus', `${STATUS_ERROR}, got 600`],
    [
      'a class that is none',
      probe({ expectStatus: '6xx' }),
      'probe.expectStatus',
      `${STATUS_ERROR}, got "6xx"`,
    ],
    ['half a class', probe({ expectStatus: '2x' }), 'probe.expectStatus', `${STATUS_ERROR}, got "2x"`],
    [
      'one bad status among good ones',
      probe({ expectStatus: [200, 'x'] }),
      'probe.expectStatus.1',
      `${STATUS_ERROR}, got "x"`,
    ],
    [
      'a status that is null',
      probe({ expectStatus: null }),
      'probe.expectStatus',
      `${STATUS_ERROR}, got null`,
    ],
    ['no status at all', probe({ expectStatus: [] }), 'probe.expectStatus', `${STATUS_ERROR}, got []`],
    [
      'text to be found that is empty',
      probe({ bodyContains: '' }),
      'probe.bodyContains',
      'expected some text, got ""',
    ],
    ['an interval too short', probe({ intervalMs: 9 }), 'probe.intervalMs', `${WHOLE(10, DAY)}, got 9`],
    [
      'an interval too long',
      probe({ intervalMs: DAY + 1 }),
      'probe.intervalMs',
      `${WHOLE(10, DAY)}, got 86400001`,
    ],
    [
      'a time limit beyond the interval',
      probe({ timeoutMs: 20_000 }),
      'probe.timeoutMs',
      'timeoutMs 20000 is longer than intervalMs 10000: two probes would overlap',
    ],
    [
      'slowness that no answer can have',
      probe({ degradedMs: 2_000 }),
      'probe.degradedMs',
      'degradedMs 2000 is not below timeoutMs 2000: no answer could be degraded',
    ],
    ['a setting that is not built', probe({ tls: true }), 'probe.tls', 'unknown setting (got true)'],
  ])('%s', (_, input, path, message) => {
    expect(failure(() => resolve(input))).toEqual(settingsError(path, `${path}: ${message}`))
  })

  it.each<object>([
    { proxy: 'env' },
    { proxy: 'none' },
    { proxy: 'http://proxy:3128' },
    { proxy: 'https://u:${env:P}@[::1]:3128/' },
    { method: 'POST', body: '{"key":"${env:KEY}"}' },
    { method: 'DELETE', body: 'x' },
    { method: 'HEAD', expectStatus: [204] },
    { headers: { a: 'caf\u00e9\t\u00ff' } },
    { headers: { constructor: 'x', prototype: 'y' } },
    { http2: true },
    { http2: false, headers: { te: 'trailers' } },
    { expectStatus: ['2xx', '3xx'], bodyContains: 'ok' },
  ])('but not %j', (over) => {
    expect(resolve(probe(over)).probe).toMatchObject(over)
  })

  it('a URL with a password, which is not repeated', () => {
    const refused = failure(() => resolve(probe({ url: 'http://user:hunter2@a/' })))
    expect(refused.path).toBe('probe.url')
    expect(refused.message).not.toContain('hunter2')
  })

  it('a header that would be left out in silence', () => {
    const headers: unknown = JSON.parse('{"__proto__":"x"}')
    expect(() => resolve(probe({ headers }))).toThrow(/__proto__/)
  })

  it.each<[unknown, readonly unknown[]]>([
    [200, [200]],
    ['404', ['404']],
    ['3xx', ['3xx']],
    [
      [200, '3xx'],
      [200, '3xx'],
    ],
  ])('but not the status %j', (given, kept) => {
    expect(resolve(probe({ expectStatus: given })).probe).toMatchObject({ expectStatus: kept })
  })
})

describe('connect', () => {
  const given = (over: object) => connect({ redis: 'redis://127.0.0.1:1', logger: false, ...over })
  const refusal = async (call: Promise<unknown>) => {
    const error: unknown = await call.then(
      () => undefined,
      (error: unknown) => error,
    )
    return failure(() => {
      throw error
    })
  }

  it.each(['keyPrefix'])('refuses %s by name, for it is not built', async (name) => {
    expect(await refusal(given({ [name]: 100 }))).toEqual(
      settingsError(name, `${name}: unknown setting (got 100)`),
    )
  })

  it.each<[string, object, string, string]>([
    [
      'no address',
      { redis: undefined },
      'redis',
      'expected a redis:// URL, ioredis options, or an ioredis client, got nothing',
    ],
    [
      'a number as address',
      { redis: 6_379 },
      'redis',
      'expected a redis:// URL, ioredis options, or an ioredis client, got 6379',
    ],
    [
      'another scheme, of which nothing more is shown',
      { redis: 'http://user:secret@host' },
      'redis',
      'expected redis://, rediss://, redis+sentinel://, redis+cluster:// or the path of a socket, got http:',
    ],
    ['an empty namespace', { namespace: '' }, 'namespace', `${NAME}, got ""`],
    ['a namespace with a brace', { namespace: '{a}' }, 'namespace', `${NAME}, got "{a}"`],
    ['a worker with a blank', { workerId: 'a b' }, 'workerId', `${NAME}, got "a b"`],
    ['no time for a command', { commandTimeoutMs: 0 }, 'commandTimeoutMs', `${WHOLE(1, 60_000)}, got 0`],
    [
      'eventual consistency',
      { consistency: 'eventual' },
      'consistency',
      'expected one of cached, strict, got "eventual"',
    ],
    [
      'another way to live without Redis',
      { onRedisDown: 'wait' },
      'onRedisDown',
      'expected one of local, allow, deny, got "wait"',
    ],
    [
      'a logger that cannot log',
      { logger: {} },
      'logger',
      'expected a logger with debug, info, warn and error, or false, got {}',
    ],
    ['a flag that is a number', { unref: 1 }, 'unref', 'expected true or false, got 1'],
    ['providers in a list', { providers: [] }, 'providers', 'expected an object of id -> settings, got []'],
    ['a provider that is a number', { providers: { a: 5 } }, 'providers.a', 'expected an object, got 5'],
    ['defaults that are a number', { defaults: 5 }, 'defaults', 'expected an object, got 5'],
  ])('refuses %s', async (_, over, path, message) => {
    expect(await refusal(given(over))).toEqual(settingsError(path, `${path}: ${message}`))
  })

  it.each([null, 5, 'redis://127.0.0.1:1'])('refuses %j in place of options', async (value) => {
    const call = connect(value as unknown as ConnectOptions)
    expect((await refusal(call)).message).toBe(`settings: expected an object, got ${JSON.stringify(value)}`)
  })

  it.each<[string, object, string]>([
    ['a default out of bounds', { breaker: { failureThreshold: 0 } }, 'breaker.failureThreshold'],
    ['a default that does not exist', { breaker: { failureTreshold: 5 } }, 'breaker.failureTreshold'],
    ['a default in the wrong place', { failureThreshold: 5 }, 'failureThreshold'],
    ['a group of defaults that is none', { breaker: 5 }, 'breaker'],
  ])('refuses %s before it connects, by name', async (_, defaults, path) => {
    const refused = await refusal(given({ defaults }))
    expect(refused.code).toBe('settings_invalid')
    expect(refused.path).toMatch(new RegExp(`${path}$`))
  })

  it('needs Redis only after its options were accepted', async () => {
    expect((await refusal(given({ onRedisDown: 'deny' }))).code).toBe('redis_unavailable')
  })

  it.each<[string, object]>([
    ['a default in the wrong place', { failureThreshold: 5 }],
    ['a group of defaults that is none', { history: 5 }],
  ])('has the same strictness in busbar/testing: %s', (_, defaults) => {
    expect(() => createTestBusbar({ defaults })).toThrow(/failureThreshold|history/)
  })
})

describe('the name of a provider, a namespace or a worker', () => {
  it.each(['a', 'A-z', '0', 'org/model:v1@eu-west.1_x', 'x'.repeat(128)])('may be %s', (name) => {
    expect(checkArgument(options.idSchema, name, 'id')).toBe(name)
    expect(
      checkSettings(options.connectSchema, { redis: '/r', namespace: name, workerId: name }),
    ).toMatchObject({
      namespace: name,
      workerId: name,
    })
  })

  it.each<[unknown, string]>([
    ['', '""'],
    ['a b', '"a b"'],
    ['a\n', '"a\\n"'],
    ['\u0000', '"\\u0000"'],
    ['ä', '"ä"'],
    ['{a}', '"{a}"'],
    ['a*', '"a*"'],
    ['x'.repeat(129), `"${'x'.repeat(79)}…`],
    [5, '5'],
    [undefined, 'nothing'],
    [['a'], '["a"]'],
  ])('may not be %j', (name, shown) => {
    expect(failure(() => checkArgument(options.idSchema, name, 'id'))).toEqual({
      name: 'ArgumentError',
      code: 'argument_invalid',
      path: 'id',
      message: `id: ${NAME}, got ${shown}`,
    })
  })
})

describe('the arguments of methods', () => {
  it.each<[string, Parameters<typeof checkArgument>[0], unknown, string, string]>([
    ['a threshold above 1', options.thresholdSchema, 1.1, 'threshold', `${NUMBER(0, 1)}, got 1.1`],
    ['a threshold below 0', options.thresholdSchema, -1, 'threshold', `${NUMBER(0, 1)}, got -1`],
    ['a threshold in words', options.thresholdSchema, '0.5', 'threshold', `${NUMBER(0, 1)}, got "0.5"`],
    ['a count below 0', options.countSchema, { count: -1 }, 'count', `${WHOLE(0, 1_000_000)}, got -1`],
    ['a time that has passed', options.tripSchema, { forMs: 0 }, 'forMs', `${WHOLE(1, 3_650 * DAY)}, got 0`],
    ['a misspelt option', options.markSchema, { formMs: 5 }, 'formMs', 'unknown setting (got 5)'],
    [
      'a reason that is none',
      options.controlSchema,
      { reason: 5 },
      'reason',
      'expected text of at most 500 characters, got 5',
    ],
    ['no concurrency', options.probesSchema, { concurrency: 0 }, 'concurrency', `${WHOLE(1, 1_000)}, got 0`],
    ['a negative wait', options.closeSchema, { timeoutMs: -1 }, 'timeoutMs', `${WHOLE(0, DAY)}, got -1`],
    [
      'a mark that does not exist',
      options.markNameSchema,
      'healthy',
      '',
      'expected one of unhealthy, degraded, terminated, got "healthy"',
    ],
  ])('refuse %s', (_, schema, value, field, message) => {
    const at = field === 'threshold' ? 'threshold' : 'it'
    const path = field === '' || field === 'threshold' ? at : `it.${field}`
    expect(failure(() => checkArgument(schema, value, at))).toMatchObject({
      path,
      message: `${path}: ${message}`,
    })
  })

  it('take names that are properties of every object', () => {
    const processes = { constructor: { pid: 1 }, prototype: { pid: 2 } }
    const checked = checkArgument(options.probesSchema, { processes }, 'startProbes')
    expect(checked.processes).toEqual(new Map(Object.entries(processes)))
  })

  it('take what may be left out', () => {
    expect(checkArgument(options.tripSchema, {}, 'trip')).toEqual({ reason: '', forMs: null })
    expect(checkArgument(options.tripSchema, { forMs: null }, 'trip')).toEqual({ reason: '', forMs: null })
    expect(checkArgument(options.countSchema, {}, 'history')).toEqual({ count: 100 })
    expect(checkArgument(options.closeSchema, {}, 'close')).toEqual({ timeoutMs: 5_000 })
    expect(checkArgument(options.probesSchema, {}, 'startProbes')).toEqual({
      concurrency: 16,
      processes: new Map(),
      functions: new Map(),
    })
  })
})
