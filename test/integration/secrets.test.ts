import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../src/embedded/port.js'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import {
  connect,
  type Busbar,
  type ConnectOptions,
  type ProbeInput,
  type SettingsInput,
} from '../../src/index.js'
import { changesChannel, providerKey } from '../../src/redis/keys.js'
import { startSentinel } from '../harness/sentinel.js'
import { startUpstream } from '../harness/http-upstream.js'
import { Leaks } from '../harness/leaks.js'
import { eventually } from '../harness/eventually.mjs'
import { testNamespace } from '../harness/redis.js'

const RIGHT = 'r1ght-pa55-0f-redis'
const USER = 'u5er-that-is-a-token'
const USER_PASSWORD = 'pa55-of-that-user'
const WRONG = 'wr0ng-pa55-0f-redis'
const WRONG_USER = 'n0-such-user'
const SENTINEL = 'pa55-of-the-sentinels'
const HEADER = 'header-va1ue-5ecret'
const OTHER_HEADER = 'other-header-va1ue-5ecret'
const QUERY = 'query-t0ken-5ecret'
const URL_PASSWORD = 'ur1-pa55-5ecret'
const BODY = 'body-va1ue-5ecret'
const PROXY_PASSWORD = 'pr0xy-pa55-5ecret'
const SECRETS = [
  RIGHT,
  USER,
  USER_PASSWORD,
  WRONG,
  WRONG_USER,
  SENTINEL,
  HEADER,
  BODY,
  PROXY_PASSWORD,
  OTHER_HEADER,
  QUERY,
  URL_PASSWORD,
]

let server: EmbeddedRedis
let admin: Redis

beforeAll(async () => {
  server = await startRedis({ args: ['--requirepass', RIGHT] })
  admin = new Redis({ port: server.port, password: RIGHT, retryStrategy: () => null }).on(
    'error',
    () => undefined,
  )
  await admin.call('ACL', 'SETUSER', USER, 'on', `>${USER_PASSWORD}`, '~*', '&*', '+info', '+ping', '+hello')
})

afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

/** A busbar whose every word is kept; what it rejects with, too. */
async function tryToJoin(leaks: Leaks, options: Partial<ConnectOptions> & Pick<ConnectOptions, 'redis'>) {
  try {
    const busbar = await connect({ logger: leaks.logger, commandTimeoutMs: 2_000, ...options })
    leaks.add('busbar', busbar)
    return busbar
  } catch (error) {
    leaks.add('thrown', error)
    return undefined
  }
}

/** What it is rejected with is kept. */
const attempt = (leaks: Leaks, work: () => Promise<unknown>): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      (value) => leaks.add('returned', value),
      (error: unknown) => leaks.add('thrown', error),
    )

const refused: readonly (readonly [
  string,
  (at: { port: number; closed: number }) => ConnectOptions['redis'],
])[] = [
  ['an address', ({ port }) => `redis://${WRONG_USER}:${WRONG}@127.0.0.1:${port}`],
  ['an address without a user', ({ port }) => `redis://:${WRONG}@127.0.0.1:${port}`],
  ['a parameter', ({ port }) => `redis://127.0.0.1:${port}?password=${WRONG}`],
  ['options', ({ port }) => ({ host: '127.0.0.1', port, username: WRONG_USER, password: WRONG })],
  ['a client', ({ port }) => new Redis({ port, password: WRONG, lazyConnect: true })],
  ['a Cluster', ({ port }) => `redis+cluster://${WRONG_USER}:${WRONG}@127.0.0.1:${port}`],
  ['nodes', ({ port }) => [{ host: '127.0.0.1', port, username: WRONG_USER, password: WRONG }]],
  ['addresses of nodes', ({ port }) => [`redis://${WRONG_USER}:${WRONG}@127.0.0.1:${port}`]],
  ['TLS where there is none', ({ port }) => `rediss://${WRONG_USER}:${WRONG}@127.0.0.1:${port}`],
  ['a user without rights', ({ port }) => `redis://${USER}:${USER_PASSWORD}@127.0.0.1:${port}`],
  ['a port that is closed', ({ closed }) => `redis://${WRONG_USER}:${WRONG}@127.0.0.1:${closed}`],
  ['a host that is none', () => `redis://${WRONG_USER}:${WRONG}@no-such-host.invalid`],
  ['a Cluster that is closed', ({ closed }) => `redis+cluster://${WRONG_USER}:${WRONG}@127.0.0.1:${closed}`],
  [
    'a Sentinel that is closed',
    ({ closed }) => `redis+sentinel://u:${WRONG}@127.0.0.1:${closed}/m?sentinelPassword=${SENTINEL}`,
  ],
  ['an address that is none', () => `http://${WRONG_USER}:${WRONG}@127.0.0.1`],
  ['a Cluster that is none', () => `redis+cluster://${WRONG_USER}:${WRONG}:${WRONG}@127.0.0.1`],
  ['an @ that is not encoded', ({ port }) => `redis://${WRONG_USER}:${WRONG}@x@127.0.0.1:${port}/`],
]

test.each(refused)('%s: no word of it is in the error or the log', async (_, address) => {
  const leaks = new Leaks()
  const redis = address({ port: server.port, closed: await freePort() })
  for (const onRedisDown of ['deny', 'local'] as const) {
    const busbar = await tryToJoin(leaks, { redis, onRedisDown, namespace: testNamespace() })
    if (busbar !== undefined) await attempt(leaks, () => busbar.provider('openai'))
    await busbar?.close({ timeoutMs: 0 })
  }
  expect(leaks.count).toBeGreaterThan(0)
  expect(leaks.of(SECRETS)).toEqual([])
})

test('Sentinels that ask for a password', async ({ onTestFinished }) => {
  const { port, watchdog } = await startSentinel(server.port, [
    `requirepass ${SENTINEL}x`,
    `sentinel auth-pass fleet ${RIGHT}`,
  ])
  onTestFinished(() => watchdog.end())
  const leaks = new Leaks()
  for (const [sentinels, redis] of [
    [SENTINEL, RIGHT],
    [`${SENTINEL}x`, WRONG],
  ] as const) {
    const address = `redis+sentinel://:${redis}@127.0.0.1:${port}/fleet?sentinelPassword=${sentinels}`
    const busbar = await tryToJoin(leaks, { redis: address, onRedisDown: 'deny' })
    await busbar?.close({ timeoutMs: 0 })
  }
  expect(leaks.count).toBeGreaterThanOrEqual(2)
  expect(leaks.of(SECRETS)).toEqual([])
})

test('a certificate that nobody trusts', async ({ onTestFinished }) => {
  const { selfSigned } = await import('../harness/certificate.js')
  const { key, cert } = selfSigned()
  const dir = mkdtempSync(join(tmpdir(), 'busbar-secrets-'))
  writeFileSync(join(dir, 'key.pem'), key)
  writeFileSync(join(dir, 'cert.pem'), cert)
  const port = await freePort()
  const files = ['--tls-cert-file', join(dir, 'cert.pem'), '--tls-key-file', join(dir, 'key.pem')]
  const more = ['--tls-ca-cert-file', join(dir, 'cert.pem'), '--tls-auth-clients', 'no']
  const secure = await startRedis({ args: ['--tls-port', `${port}`, ...files, ...more] })
  onTestFinished(async () => {
    await secure.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const leaks = new Leaks()
  await tryToJoin(leaks, { redis: `rediss://${WRONG_USER}:${WRONG}@localhost:${port}`, onRedisDown: 'deny' })
  expect(leaks.says('certificate')).toBe(true)
  expect(leaks.of(SECRETS)).toEqual([])
})

const probe = (url: string, value: string): ProbeInput => ({
  kind: 'http',
  url: `${url}/health?api_key=${QUERY}`,
  headers: { authorization: `Bearer ${value}`, 'x-api-key': value },
  method: 'POST',
  body: `{"client_secret":"${BODY}"}`,
  proxy: `http://${PROXY_PASSWORD}:${PROXY_PASSWORD}@127.0.0.1:1`,
  intervalMs: 60_000,
  timeoutMs: 1_000,
})

test('settings that change: log, events, listeners, stream and channel', async ({ onTestFinished }) => {
  const upstream = await startUpstream()
  const namespace = testNamespace()
  const leaks = new Leaks()
  const listener = admin.duplicate()
  const busbar = await connect({
    redis: `redis://:${RIGHT}@127.0.0.1:${server.port}`,
    namespace,
    logger: leaks.logger,
  })
  onTestFinished(async () => {
    await busbar.close({ timeoutMs: 0 })
    listener.disconnect()
    await upstream.close()
  })
  await listener.subscribe(changesChannel(namespace, 0))
  listener.on('message', (_channel, message) => leaks.add('channel', message))
  for (const kind of ['registered', 'settings_changed', 'opened'] as const)
    busbar.on(kind, (event) => leaks.add('event', event))
  const provider = await busbar.provider('openai', { probe: probe(upstream.url, HEADER) })
  await busbar.provider('openai', { probe: probe(upstream.url, OTHER_HEADER) })
  await busbar.provider('openai', { probe: probe('http://127.0.0.1:1', OTHER_HEADER) })
  await busbar.startProbes()
  leaks.add('report', await busbar.probe('openai'))
  await provider.trip({ reason: 'a test' })
  await eventually(() => leaks.says('channel: ') && leaks.says('event: '))
  leaks.add('stream', await admin.xrange(providerKey(namespace, 'openai', 'events'), '-', '+'))
  leaks.add('events', await provider.events({ count: 100 }))
  leaks.add('plan', await busbar.plan('openai', { probe: probe(upstream.url, HEADER) }))
  leaks.add('provider', provider)
  leaks.add('busbar', busbar)
  leaks.add('snapshot', await provider.snapshot())
  expect(leaks.says('settings_changed')).toBe(true)
  expect(leaks.of(SECRETS)).toEqual([])
})

/** What Redis answers with an error to, while a provider with secrets in its settings is registered. */
const failures: readonly (readonly [
  string,
  (namespace: string) => Promise<unknown>,
  () => Promise<unknown>,
])[] = [
  [
    'WRONGTYPE',
    (namespace) => admin.set(providerKey(namespace, 'openai', 'circuit'), 'x'),
    () => Promise.resolve(),
  ],
  ['OOM', () => admin.config('SET', 'maxmemory', '1'), () => admin.config('SET', 'maxmemory', '0')],
  [
    'NOREPLICAS',
    () => admin.config('SET', 'min-replicas-to-write', '3'),
    () => admin.config('SET', 'min-replicas-to-write', '0'),
  ],
  [
    'NOPERM',
    () => admin.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval', '-zadd'),
    () => admin.call('ACL', 'SETUSER', 'default', '+@all'),
  ],
]

test.each(failures)(
  '%s: a script that is refused does not show what it was given',
  async (word, spoil, mend) => {
    const namespace = testNamespace()
    const leaks = new Leaks()
    const busbar = await connect({
      redis: `redis://:${RIGHT}@127.0.0.1:${server.port}`,
      namespace,
      logger: leaks.logger,
      commandTimeoutMs: 2_000,
    })
    try {
      await spoil(namespace)
      await attempt(leaks, () => busbar.provider('openai', { probe: probe('http://127.0.0.1:1', HEADER) }))
      // A provider that is cut off is logged when its keys have been looked at.
      await eventually(() => leaks.says(word))
    } finally {
      await mend()
      await busbar.close({ timeoutMs: 0 })
    }
    expect(leaks.of(SECRETS)).toEqual([])
  },
)

const wrongSettings: readonly (readonly [string, (busbar: Busbar) => Promise<unknown>])[] = [
  [
    'a header with a line break',
    (busbar) => busbar.provider('a', { probe: probe('http://h', `${HEADER}\n`) }),
  ],
  [
    'a header that is an object',
    (busbar) => busbar.provider('a', wrong({ headers: { 'x-key': { deep: HEADER } } })),
  ],
  [
    'a name of a header that is none',
    (busbar) => busbar.provider('a', wrong({ headers: { 'x key': HEADER } })),
  ],
  ['headers as a text', (busbar) => busbar.provider('a', wrong({ headers: `authorization: ${HEADER}` }))],
  ['a kind that is none', (busbar) => busbar.provider('a', wrong({ kind: 'htp', headers: { a: HEADER } }))],
  ['a misspelt name', (busbar) => busbar.provider('a', wrong({ header: { authorization: HEADER } }))],
  ['a password in the URL', (busbar) => busbar.provider('a', wrong({ url: `http://u:${URL_PASSWORD}@h` }))],
  [
    'a password in a URL of another scheme',
    (b) => b.provider('a', wrong({ url: `ftp://u:${URL_PASSWORD}@h` })),
  ],
  ['a token in a URL that is none', (busbar) => busbar.provider('a', wrong({ url: `h/p?token=${QUERY}` }))],
  ['a body that is an object', (busbar) => busbar.provider('a', wrong({ body: { key: BODY } }))],
  ['a body that is not sent', (busbar) => busbar.provider('a', wrong({ method: 'GET', body: BODY }))],
  ['a proxy of another scheme', (b) => b.provider('a', wrong({ proxy: `socks5://u:${PROXY_PASSWORD}@h` }))],
  ['a proxy without a scheme', (b) => b.provider('a', wrong({ proxy: `u:${PROXY_PASSWORD}@h:1` }))],
  ['a misspelt proxy', (b) => b.provider('a', wrong({ proxi: `http://u:${PROXY_PASSWORD}@h:1` }))],
  ['a probe as a list', (busbar) => busbar.provider('a', { probe: [{ headers: { a: HEADER } }] as never })],
  ['an option of connect', () => connect({ redis: `redis://:${WRONG}@h`, passwrd: WRONG } as never)],
  [
    'options of connect',
    () => connect({ redis: { password: WRONG }, namespace: { password: WRONG } } as never),
  ],
  [
    'providers of connect',
    () => connect({ redis: 'redis://h', providers: [{ headers: { a: HEADER } }] } as never),
  ],
]

const wrong = (over: object): SettingsInput =>
  // What the types forbid is what is tried.
  ({ probe: { ...probe('http://h', HEADER), ...over } })

test.each(wrongSettings)('%s: the message names the path, not the value', async (_, run) => {
  const leaks = new Leaks()
  const redis = `redis://:${RIGHT}@127.0.0.1:${server.port}`
  const busbar = await connect({ redis, namespace: testNamespace(), logger: leaks.logger })
  await attempt(leaks, () => run(busbar))
  await busbar.close({ timeoutMs: 0 })
  expect(leaks.says('settings_invalid') || leaks.says('argument_invalid')).toBe(true)
  expect(leaks.of(SECRETS)).toEqual([])
})

test('a listener, a check and a call of the user that fail with an error full of secrets', async () => {
  const leaks = new Leaks()
  const redis = `redis://:${RIGHT}@127.0.0.1:${server.port}`
  const busbar = await connect({ redis, namespace: testNamespace(), logger: leaks.logger })
  const failing = () =>
    Object.assign(new Error(`request to https://u:${URL_PASSWORD}@h/?token=${QUERY} failed`), {
      config: { headers: { authorization: `Bearer ${HEADER}` } },
      request: { url: `https://h/?api_key=${QUERY}` },
    })
  busbar.on('registered', () => {
    throw failing()
  })
  const provider = await busbar.provider(
    'openai',
    { probe: { kind: 'function', name: 'check', intervalMs: 60_000 }, breaker: { failureThreshold: 50 } },
    {
      classify: () => {
        throw failing()
      },
    },
  )
  await busbar.startProbes({ functions: { check: () => Promise.reject(failing()) } })
  leaks.add('report', await busbar.probe('openai'))
  await provider.execute(() => Promise.reject(failing())).catch(() => undefined)
  await busbar.flush()
  leaks.add('snapshot', await provider.snapshot())
  leaks.add('events', await provider.events({ count: 10 }))
  const logged = () => leaks.says('a listener failed') && leaks.says('classify failed')
  await eventually(logged)
  await busbar.close()
  expect(leaks.of(SECRETS)).toEqual([])
})
