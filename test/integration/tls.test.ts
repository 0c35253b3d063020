import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { freePort } from '../../src/embedded/port.js'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { selfSigned } from '../harness/certificate.js'
import { spawnCli } from '../harness/cli.js'

test('TLS: an authority of the user is trusted, an unknown one is refused in words; the CLI too', async ({
  onTestFinished,
}) => {
  const { key, cert } = selfSigned()
  const dir = mkdtempSync(join(tmpdir(), 'busbar-tls-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const [keyFile, certFile] = [file('key.pem', key), file('cert.pem', cert)]
  const port = await freePort()
  const server = await startRedis({
    args: [
      ...['--tls-port', `${port}`, '--tls-cert-file', certFile, '--tls-key-file', keyFile],
      ...['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'no'],
    ],
  })
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const url = `rediss://localhost:${port}`

  const address = { host: 'localhost', port, tls: { ca: cert } }
  const busbar = await connect({ redis: address, logger: false, commandTimeoutMs: 5_000 })
  const provider = await busbar.provider('openai')
  expect(await provider.execute(() => 1)).toBe(1)
  expect((await busbar.inspect()).pubSubProblem).toBeNull()
  await busbar.close()

  await expect(connect({ redis: url, logger: false })).rejects.toMatchObject({ failure: 'permanent' })
  await expect(connect({ redis: url, logger: false })).rejects.toThrow(/not trusted here; .*tls\.ca/)
  const plain = server.url.replace('redis://', 'rediss://')
  await expect(connect({ redis: plain, logger: false, onRedisDown: 'deny' })).rejects.toMatchObject({
    code: 'redis_unavailable',
  })

  const trusting = await spawnCli(['status', '--redis', url], { env: { NODE_EXTRA_CA_CERTS: certFile } })
  expect(trusting).toMatchObject({ code: 0, stderr: '' })
  expect(trusting.stdout).toContain('openai')
})
