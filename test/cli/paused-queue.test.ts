import { Queue } from 'bullmq'
import { expect, it, onTestFinished } from 'vitest'
import { coreOf } from '../../src/client/busbar.js'
import { connect } from '../../src/index.js'
import { cliFleet } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl, testNamespace } from '../harness/redis.js'

/** The probe queue as BullMQ's own users see it. */
function queueAt(prefix: string, name = 'probes'): Queue {
  const { hostname: host, port } = new URL(redisUrl())
  const queue = new Queue(name, { prefix, connection: { host, port: Number(port) } })
  onTestFinished(() => queue.close())
  return queue
}

interface Finding {
  readonly check: string
  readonly level: string
  readonly found: string
  readonly advice: string
}

it(
  'a paused probe queue is named by status, watch and doctor, until it is resumed',
  { timeout: 120_000 },
  async () => {
    const fleet = await cliFleet()
    const { busbar, namespace } = fleet
    const probe = { kind: 'tcp', host: '127.0.0.1', port: 1, intervalMs: 60_000 } as const
    await busbar.provider('api', { probe })
    const worker = await busbar.startProbes()
    const queue = queueAt(`{${namespace}}`)
    const name = `{${namespace}}:probes`
    const finding = async () => {
      const { value } = await fleet.json(['doctor'])
      return (value['findings'] as Finding[]).find(({ check }) => check === 'probe queue') // else the test fails
    }
    expect(await busbar.pausedProbeQueues()).toEqual([])
    expect(await finding()).toBeUndefined()
    const watching = fleet.start('watch')
    await watching.said(/^api /m)

    await queue.pause()
    expect(await busbar.pausedProbeQueues()).toEqual([name])
    const sentence = `probes are paused: queue.pause() was called on ${name}; queue.resume() of BullMQ ends it`
    expect((await fleet.run(['status'])).stdout).toContain(`\n${sentence}\n`)
    expect((await fleet.run(['status', 'api'])).stdout).toContain(` ${sentence}\n`)
    expect((await fleet.json(['status'])).value['pausedProbeQueues']).toEqual([name])
    await watching.said(/probes are paused/)
    expect(await finding()).toEqual({
      ...{ check: 'probe queue', level: 'warn' },
      found: `${name} is paused: none of its probes runs (1 provider, 0 overdue)`,
      advice: expect.stringContaining(
        `await new Queue('probes', { prefix: '{${namespace}}', connection }).resume()`,
      ) as unknown,
    })

    await queue.resume()
    await eventually(async () => (await busbar.pausedProbeQueues()).length === 0)
    expect((await fleet.run(['status'])).stdout).not.toContain('paused')
    await worker.close()
  },
)

it('of several queues the paused ones alone are named', async () => {
  const namespace = testNamespace()
  await using busbar = await connect({
    redis: redisUrl(),
    namespace,
    logger: false,
    commandTimeoutMs: 5_000,
    probeQueues: 3,
  })
  const prefixes = coreOf(busbar).context.schedule?.prefixes ?? []
  const last = prefixes.at(-1) ?? ''
  const queue = queueAt(last)
  await queue.pause()
  expect(await busbar.pausedProbeQueues()).toEqual([`${last}:probes`])
  expect((await busbar.inspect()).pausedProbeQueues).toEqual([`${last}:probes`])
  await queue.obliterate()
})

it.each([
  ['the queue of all', { kind: 'tcp', host: '127.0.0.1', port: 1 }, 'probes'],
  ['the queue of a name', { kind: 'function', name: 'model' }, 'probes-function-model'],
] as const)('%s: what is overdue because of a pause asks for no worker', async (_, kind, queueName) => {
  const fleet = await cliFleet()
  const { busbar, namespace } = fleet
  const worker = await busbar.startProbes({ functions: { model: () => true } })
  onTestFinished(() => worker.close())
  const other = kind.kind === 'tcp' ? ({ kind: 'function', name: 'model' } as const) : TCP
  await busbar.provider('other', { probe: { ...other, intervalMs: 60_000 } })
  const api = await busbar.provider('api', { probe: { ...kind, intervalMs: 100, timeoutMs: 50 } })
  await eventually(async () => (await api.snapshot()).lastProbeAt !== null, 'it is probed')
  const queue = queueAt(`{${namespace}}`, queueName)
  await queue.pause()
  await eventually(async () => (await api.snapshot()).stale, 'it is stale')
  const { value } = await fleet.json(['doctor'])
  const findings = value['findings'] as Finding[] // else the test fails
  expect(findings.filter(({ check }) => /^probe/.test(check))).toMatchObject([
    {
      ...{ check: 'probe queue', level: 'warn' },
      found: `{${namespace}}:${queueName} is paused: none of its probes runs (1 provider, 1 overdue)`,
    },
    { check: 'probes', level: 'ok' },
  ])
  expect(JSON.stringify(findings)).not.toContain('startProbes()')
  const explained = (await fleet.run(['explain', 'api'])).stdout
  expect(explained).toContain(`queue.pause() was called on {${namespace}}:${queueName}`)
  expect(explained).not.toContain('startProbes()')
  expect((await fleet.run(['status', 'api'])).stdout).toContain('queue.resume() of BullMQ ends it')
  // Another queue is none of its business.
  expect((await fleet.run(['status', 'other'])).stdout).not.toContain('paused')
  expect((await fleet.run(['explain', 'other'])).stdout).not.toContain('paused')
  expect((await fleet.run(['schedules'])).stdout).toMatch(/^api .* overdue, queue paused /m)
})

const TCP = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const
