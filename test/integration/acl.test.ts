import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { runCli } from '../harness/cli.js'
import { eventually } from '../harness/eventually.mjs'
import { startHookServer } from '../harness/hook-server.js'
import { startUpstream } from '../harness/http-upstream.js'
import { asLeast, leastRights } from '../harness/least-rights.js'

test('the user of docs/operations.md can do what Busbar does: calls, probes, alerts, the CLI; and nothing else', async ({
  onTestFinished,
}) => {
  const server = await startRedis()
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  await admin.call('ACL', ...leastRights())
  await admin.call('ACL', 'LOG', 'RESET')
  const url = asLeast(server.url)
  const upstream = await startUpstream()
  const errors: unknown[] = []
  const note = (_fields: object, message: string) => void errors.push([message, _fields])
  const logger = { debug: () => undefined, info: () => undefined, warn: note, error: note }
  const busbar = await connect({ redis: url, logger, commandTimeoutMs: 5_000, consistency: 'strict' })
  onTestFinished(() => busbar.close())

  const probed = await busbar.provider('probed', {
    probe: { kind: 'http', url: upstream.url, intervalMs: 100, timeoutMs: 90 },
  })
  const called = await busbar.provider('called', { breaker: { failureThreshold: 2, cooldownMs: 20 } })
  const probes = await busbar.startProbes()
  const hook = await startHookServer()
  hook.answer(500) // so that an attempt is put off
  const hooks = { ops: { kind: 'webhook', url: hook.url } } as const
  const alerts = await busbar.startAlerts({ hooks, groupMs: 100, retryMs: 100 })
  expect(await called.execute(() => 1)).toBe(1)
  const fail = () => called.execute(() => Promise.reject(new Error('no'))).catch(() => undefined)
  await fail()
  await fail()
  // Half-open: a trial, with a lease.
  await eventually(async () => (await called.admit()).admitted)
  await called.reset()
  await called.trip({ reason: 'a test' })
  await eventually(() => hook.deliveries.length > 1)
  hook.answer(200)
  await called.markDegraded({ reason: 'a test' })
  await called.resume()
  await called.history({ count: 5 })
  await called.events({ count: 5 })
  await eventually(async () => (await probed.historySize()) >= 3)

  const cli = (...args: string[]) => runCli([...args, '--redis', url])
  // By a worker of the fleet, through the queue; it may meet another probe that is under way.
  await eventually(async () => (await cli('probe', 'probed', '--timeout', '30s')).stdout.includes(', by '))
  for (const args of [
    ['status'],
    ['explain', 'called'],
    ['history', 'probed'],
    ['events', 'called'],
    ['doctor'],
  ]) {
    const { code, stderr } = await cli(...args)
    expect({ args, code, stderr }).toMatchObject({ stderr: '' })
    expect(code).toBeLessThan(3)
  }
  const statements = [
    ['trip', 'called', '--reason', 'x'],
    ['mark', 'called', 'degraded', '--reason', 'x'],
    ['resume', 'called', '--reason', 'x'],
    ['reset', 'called', '--reason', 'x'],
  ]
  for (const args of statements) expect(await cli(...args)).toMatchObject({ code: 0, stderr: '' })
  await busbar.remove('called')
  await busbar.remove('probed')
  await probes.close()
  await eventually(() => hook.messages().some(({ text }) => text.includes('reset')))
  await alerts.close()
  expect(errors.filter((entry) => /NOPERM|permission/.test(JSON.stringify(entry)))).toEqual([])

  // What was refused: nothing that is needed. CONFIG GET is asked by the doctor, who can do without.
  const log = (await admin.call('ACL', 'LOG', 128)) as string[][]
  const refused = log.map((entry) => entry[entry.indexOf('object') + 1])
  expect(refused.filter((what) => what !== 'config|get')).toEqual([])

  const poor = new Redis(url)
  onTestFinished(() => poor.disconnect())
  // The channel of a fleet in another database.
  expect(await poor.publish('busbar:changes:3', 'x')).toBe(0)
  await expect(poor.get('other:key')).rejects.toThrow('NOPERM')
  await expect(poor.publish('other', 'x')).rejects.toThrow('NOPERM')
  await expect(poor.flushall()).rejects.toThrow('NOPERM')
  await expect(poor.keys('*')).rejects.toThrow('NOPERM')
  await expect(poor.config('SET', 'maxmemory', '1')).rejects.toThrow('NOPERM')
})
