import { expect, it, onTestFinished } from 'vitest'
import { connect, type Logger } from '../../src/index.js'
import { startRedis } from '../../src/embedded/index.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'
import { testNamespace } from '../harness/redis.js'

const VARIABLE = 'BUSBAR_TEST_PROBE_KEY'

/** A process with its own Redis, and what it warns of. */
async function prober() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const warnings: string[] = []
  const ignore = () => undefined
  const warn: Logger['warn'] = (fields, message) => {
    if ('reason' in fields && message.startsWith('probe discarded')) warnings.push(String(fields.reason))
  }
  const logger = { debug: ignore, info: ignore, error: ignore, warn }
  const options = { redis: server.url, namespace: testNamespace(), commandTimeoutMs: 5_000 }
  const busbar = await connect({ ...options, logger })
  onTestFinished(() => busbar.close())
  return { busbar, warnings }
}

it('a probe whose secret this process lacks is charged to nobody, and holds no trial', async () => {
  Reflect.deleteProperty(process.env, VARIABLE)
  onTestFinished(() => {
    Reflect.deleteProperty(process.env, VARIABLE)
  })
  const { busbar, warnings } = await prober()
  const upstream = await startUpstream()
  const headers = { authorization: `Bearer \${env:${VARIABLE}}` }
  const provider = await busbar.provider('api', {
    probe: { kind: 'http', url: upstream.url, intervalMs: 200, headers },
  })
  await provider.trip({ forMs: 1 })
  await busbar.startProbes()
  await eventually(() => busbar.counters.probesDiscarded >= 2)
  expect(warnings[0]).toBe(
    `probe.headers.authorization: the environment variable ${VARIABLE} is not set in the process that probes`,
  )
  expect(upstream.requests).toHaveLength(0)
  expect(await provider.snapshot()).toMatchObject({ historyTotal: 0, lastProbeAt: null })
  await eventually(async () => (await provider.snapshot()).trials === 0)

  process.env[VARIABLE] = 's3cret'
  await eventually(async () => (await provider.state()) === 'closed')
  expect(upstream.requests[0]?.headers.authorization).toBe('Bearer s3cret')
})

it('a probe that this process cannot send is charged to nobody, and its trial is given back', async () => {
  process.env[VARIABLE] = 'sk-live\u2013abc' // a dash that a word processor made of `-`
  onTestFinished(() => {
    Reflect.deleteProperty(process.env, VARIABLE)
  })
  const { busbar } = await prober()
  const upstream = await startUpstream()
  const breaker = { failureThreshold: 1, cooldownMs: 1, trialLeaseMs: 60_000 }
  for (const headers of [{ authorization: `Bearer \${env:${VARIABLE}}` }, { trailer: 'x-checksum' }]) {
    const provider = await busbar.provider(Object.keys(headers)[0] ?? '', {
      breaker,
      probe: { kind: 'http', url: upstream.url, headers },
    })
    await provider.recordFailure()
    await eventually(async () => (await provider.state()) === 'half_open')
    expect(await busbar.probe(provider.id)).toMatchObject({
      probed: false,
      code: 'not_here',
      reason: expect.stringMatching(
        / no header can carry | cannot be sent: ERR_HTTP_TRAILER_INVALID$/,
      ) as string,
    })
    expect(await provider.snapshot()).toMatchObject({ trials: 0, lastProbeAt: null })
  }
  expect(upstream.requests).toHaveLength(0)
})
