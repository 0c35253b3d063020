import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { createSecureContext, createServer, type ConnectionOptions } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { freePort } from '../../src/embedded/port.js'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import type { ProbeInput } from '../../src/model/probe.js'
import type { RedisAddress } from '../../src/redis/address.js'
import { ProbeRunner } from '../../src/probes/probe-runner.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'
import { startSentinel } from '../harness/sentinel.js'

/**
 * A front that routes by the name that TLS asks for, as Redis Cloud and ingresses do. It shows the trusted certificate
 * to a client that asks for a name, another one else. All bytes are passed on to `port`.
 */
async function startFront(port: number | undefined, at?: number) {
  const names: string[] = []
  const identity = selfSigned()
  const others = selfSigned() // not trusted
  const server = createServer(
    {
      ...others,
      SNICallback: (name, done) => {
        names.push(name)
        done(null, createSecureContext(identity))
      },
    },
    (client) => {
      client.on('error', () => undefined)
      if (port === undefined) return
      const onward = connectTcp(port, '127.0.0.1')
      onward.on('error', () => client.destroy())
      client.on('close', () => onward.destroy())
      client.pipe(onward).pipe(client)
    },
  )
  const sockets = new Set<Socket>()
  const connections = () => sockets.size
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(at ?? 0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A TCP server that listens has an address of this shape.
  return { names, connections, port: (server.address() as AddressInfo).port, tls: { ca: identity.cert } }
}

/** The certificate is trusted by none of these; what was asked for is all that matters. */
async function askedBy(makeProbe: (port: number) => ProbeInput): Promise<string | undefined> {
  const front = await startFront(undefined)
  const { probe } = resolveSettings({ probe: makeProbe(front.port) })
  if (probe === undefined) throw new Error('no probe')
  const runner = new ProbeRunner('worker-1', { processes: new Map(), functions: new Map() })
  const heard = { at: 0, heartbeatAt: null, heartbeatProgress: null, heartbeatProgressAt: null }
  await runner.run(probe, { providerId: 'a', heard, settingsSetAt: 0 })
  expect(front.connections(), 'it came here').toBe(1)
  return front.names[0]
}

describe('a probe asks for the name of its host:', () => {
  const https = (port: number, host: string, more: object = {}): ProbeInput => ({
    kind: 'http',
    url: `https://${host}:${port}/`,
    ...more,
  })
  const tcp = (port: number, host: string, tls: true | object): ProbeInput => ({
    kind: 'tcp',
    host,
    port,
    tls,
  })

  it.each<[string, (port: number) => ProbeInput, string | undefined]>([
    ['https', (port) => https(port, 'localhost'), 'localhost'],
    [
      'https with a Host header',
      (port) => https(port, '127.0.0.1', { headers: { Host: 'api.test:1' } }),
      'api.test',
    ],
    ['https by address', (port) => https(port, '127.0.0.1'), undefined],
    [
      'https with an address as Host header',
      (port) => https(port, 'localhost', { headers: { host: '10.0.0.1' } }),
      undefined,
    ],
    ['HTTP/2', (port) => https(port, 'localhost', { http2: true }), 'localhost'],
    ['tcp', (port) => tcp(port, 'localhost', true), 'localhost'],
    ['tcp with a full name', (port) => tcp(port, 'localhost', { servername: 'api.test.' }), 'api.test'],
    ['tcp by address', (port) => tcp(port, '127.0.0.1', true), undefined],
    ['tcp with a servername', (port) => tcp(port, '127.0.0.1', { servername: 'api.test' }), 'api.test'],
    [
      'tcp with an address as servername',
      (port) => tcp(port, 'localhost', { servername: '10.0.0.1' }),
      undefined,
    ],
    ['redis', (port) => ({ kind: 'redis', url: `rediss://localhost:${port}` }), 'localhost'],
    ['redis by address', (port) => ({ kind: 'redis', url: `rediss://127.0.0.1:${port}` }), undefined],
  ])('%s', async (_, makeProbe, name) => expect(await askedBy(makeProbe)).toBe(name))
})

/** A process joins at this address, calls, and hears of a change that it made itself. */
async function useRedis(redis: RedisAddress): Promise<void> {
  const busbar = await connect({ redis, logger: false, onRedisDown: 'deny', commandTimeoutMs: 5_000 })
  try {
    const provider = await busbar.provider('openai')
    const opened = new Promise((resolve) => busbar.on('opened', resolve))
    expect(await provider.execute(() => 1)).toBe(1)
    await provider.trip()
    await opened
  } finally {
    await busbar.close()
  }
}

async function startServer(args: readonly string[] = []) {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

const onlyLocalhost = (names: readonly string[]) => {
  expect(names.length).toBeGreaterThan(0)
  expect(names.every((name) => name === 'localhost')).toBe(true)
}

describe('Busbar asks for the name of its Redis', () => {
  const at = (port: number, tls: ConnectionOptions) => ({ host: 'localhost', port, tls })

  it('on each of its connections', async () => {
    const front = await startFront((await startServer()).port)
    await useRedis(at(front.port, front.tls))
    onlyLocalhost(front.names)
    expect(front.names.length, 'for commands and for the subscription').toBeGreaterThan(1)
  })

  it('as a duplicate of a client of the user, whose own options stay as they are', async () => {
    const front = await startFront((await startServer()).port)
    const tls = { ...front.tls }
    const client = new Redis({ ...at(front.port, tls), lazyConnect: true })
    await useRedis(client)
    onlyLocalhost(front.names)
    expect(tls).not.toHaveProperty('servername')
    expect(client.options.tls).not.toHaveProperty('servername')
  })

  it('unless the options name another', async () => {
    const front = await startFront((await startServer()).port)
    const tls = { ...front.tls, servername: 'other.test', checkServerIdentity: () => undefined }
    await useRedis(at(front.port, tls))
    expect(front.names[0]).toBe('other.test')
  })

  it('and of its Sentinels, and of the master that they name', async () => {
    const server = await startServer()
    const master = await startFront(server.port)
    const { port, watchdog } = await startSentinel(server.port, [
      'sentinel resolve-hostnames yes',
      'sentinel announce-hostnames yes',
      `sentinel monitor named localhost ${master.port} 1`,
    ])
    onTestFinished(() => watchdog.end())
    const sentinel = await startFront(port)
    await useRedis({
      sentinels: [{ host: 'localhost', port: sentinel.port }],
      name: 'named',
      sentinelTLS: sentinel.tls,
      enableTLSForSentinelMode: true,
      tls: master.tls,
    })
    onlyLocalhost(sentinel.names)
    onlyLocalhost(master.names)
  })

  const startNamedNode = async () => {
    const frontPort = await freePort()
    const node = await startServer([
      ...[
        '--cluster-enabled',
        'yes',
        '--cluster-config-file',
        'nodes.conf',
        '--cluster-port',
        `${await freePort()}`,
      ],
      ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
      ...['--cluster-announce-port', `${frontPort}`],
    ])
    const admin = new Redis(node.url)
    onTestFinished(() => admin.disconnect())
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await eventually(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    return startFront(node.port, frontPort)
  }

  it('and of the nodes of its Cluster, the first and those that they announce', async () => {
    const front = await startNamedNode()
    await useRedis([at(front.port, front.tls)])
    onlyLocalhost(front.names)
  })

  it('as a duplicate of a Cluster client of the user', async () => {
    const front = await startNamedNode()
    const client = new Cluster([{ host: 'localhost', port: front.port }], {
      lazyConnect: true,
      redisOptions: { tls: front.tls },
    })
    await useRedis(client)
    onlyLocalhost(front.names)
  })
})
