import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../src/embedded/port.js'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'

test('quiet connections (TCP, TLS, a socket) are asked now and then whether they live, and stay', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'busbar-quiet-'))
  const { key, cert } = selfSigned()
  const [keyFile, certFile, socket] = [join(dir, 'key.pem'), join(dir, 'cert.pem'), join(dir, 'redis.sock')]
  writeFileSync(keyFile, key)
  writeFileSync(certFile, cert)
  const port = await freePort()
  const server = await startRedis({
    args: [
      ...['--tls-port', `${port}`, '--tls-cert-file', certFile, '--tls-key-file', keyFile],
      ...['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'no', '--unixsocket', socket],
    ],
  })
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const addresses = [server.url, { host: 'localhost', port, tls: { ca: cert } }, socket]
  const busbars = await Promise.all(addresses.map((redis) => connect({ redis, logger: false })))
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close()))
  })
  const stat = async (section: string, field: RegExp) =>
    Number(field.exec(await admin.info(section))?.[1] ?? 0)
  const opened = () => stat('stats', /total_connections_received:(\d+)/)
  const pings = () => stat('commandstats', /cmdstat_ping:calls=(\d+)/)
  const before = { opened: await opened(), pings: await pings() }
  // Two connections each, three turns.
  const asked = async () => (await pings()) - before.pings >= 3 * 2 * addresses.length
  await eventually(asked, { timeoutMs: 60_000 })
  expect(busbars.map(({ counters }) => counters.connectionsReplaced)).toEqual([0, 0, 0])
  expect(await opened()).toBe(before.opened)
}, 90_000)
