import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { freePort } from '../../src/embedded/port.js'
import { connect } from '../../src/index.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'
import { startSentinel } from '../harness/sentinel.js'

/** A certificate of an authority that nobody trusts unless told to. */
function certificate() {
  const dir = mkdtempSync(join(tmpdir(), 'busbar-tls-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const { key, cert } = selfSigned()
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  writeFileSync(keyFile, key)
  writeFileSync(certFile, cert)
  const lines = [`tls-cert-file ${certFile}`, `tls-key-file ${keyFile}`, `tls-ca-cert-file ${certFile}`]
  return { certFile, lines: [...lines, 'tls-auth-clients no'] }
}

/** A server that speaks plain TCP to this test, and TLS on another port. */
async function startTls(lines: readonly string[]) {
  const tlsPort = await freePort()
  const args = [`tls-port ${tlsPort}`, ...lines].flatMap((line) => `--${line}`.split(' '))
  const server = await startRedis({ args })
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  return { admin, tlsPort }
}

/** A process that trusts the authority calls, and hears of a change that it made itself. */
async function used(url: string, certFile: string): Promise<string> {
  const script = `
    import { connect } from 'busbar'
    const busbar = await connect({ redis: process.argv[1], logger: false, onRedisDown: 'deny', commandTimeoutMs: 5_000 })
    const provider = await busbar.provider('openai')
    const opened = new Promise((resolve) => busbar.on('opened', resolve))
    const called = await provider.execute(() => 'called')
    await provider.trip()
    console.log(called, (await opened).kind)
    await busbar.close()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
    timeout: 20_000,
  })
  return stdout.trim()
}

const refused = (url: string) =>
  expect(connect({ redis: url, logger: false, onRedisDown: 'deny' })).rejects.toMatchObject({
    code: 'redis_unavailable',
  })

test('rediss+cluster:// speaks TLS with the nodes, and trusts no authority by itself', async () => {
  const { lines, certFile } = certificate()
  const cluster = ['cluster-enabled yes', 'cluster-config-file nodes.conf', 'cluster-announce-ip 127.0.0.1']
  const bus = [`cluster-port ${await freePort()}`, 'tls-cluster yes']
  const { admin, tlsPort } = await startTls([...lines, ...cluster, ...bus])
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  await eventually(
    async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    'it serves',
  )
  const url = `rediss+cluster://127.0.0.1:${tlsPort}`
  expect(await used(url, certFile)).toBe('called opened')
  await refused(url)
})

test('rediss+sentinel:// speaks TLS with Sentinel and master, and trusts no authority by itself', async () => {
  const { lines, certFile } = certificate()
  const master = await startTls(lines)
  const tlsPort = await freePort()
  const { watchdog } = await startSentinel(master.tlsPort, [
    ...lines,
    `tls-port ${tlsPort}`,
    'tls-replication yes',
  ])
  onTestFinished(() => watchdog.end())
  const url = `rediss+sentinel://127.0.0.1:${tlsPort}/fleet`
  expect(await used(url, certFile)).toBe('called opened')
  await refused(url)
})
