import { Queue } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cliFleet, expectOneLine } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream, type HttpUpstream } from '../harness/http-upstream.js'

const HOUR = 3_600_000

const probeOf = (upstream: HttpUpstream, more: object = {}) => ({
  probe: { kind: 'http' as const, url: upstream.url, intervalMs: HOUR, ...more },
})

describe('busbar probe', () => {
  it('prints what it found and records it like any probe: 0 healthy, 1 degraded, 2 else', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const provider = await fleet.busbar.provider('api', probeOf(upstream, { degradedMs: 1_500 }))
    const healthy = await fleet.run(['probe', 'api'])
    expect(healthy.stdout).toMatch(/^api ● healthy \(HTTP 200\) in \d+ ms; circuit closed\n$/)
    upstream.behave({ delayMs: 1_600 })
    const degraded = await fleet.run(['probe', 'api'])
    expect(degraded.stdout).toMatch(
      /^api ▲ degraded \(HTTP 200 after 1\d+ ms\) in 1\d+ ms; circuit closed\n$/,
    )
    upstream.behave({ status: 503 })
    const unhealthy = await fleet.json(['probe', 'api'])
    expect(unhealthy.value).toMatchObject({
      id: 'api',
      probed: true,
      status: 'unhealthy',
      detail: 'HTTP 503',
      trial: false,
    })
    expect([healthy.code, degraded.code, unhealthy.code]).toEqual([0, 1, 2])
    expect(await provider.snapshot()).toMatchObject({
      historyTotal: 3,
      lastProbeStatus: 'unhealthy',
      probeConsecutiveFailures: 1,
      consecutiveFailures: 0,
    })
    expect(upstream.requests).toHaveLength(3)
  })

  it('holds the trial of a half-open circuit, and closes it', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const provider = await fleet.busbar.provider('api', probeOf(upstream))
    await provider.trip({ forMs: 1 })
    const { code, stdout } = await fleet.run(['probe', 'api'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/in \d+ ms, as the trial of a half-open circuit; circuit closed$/m)
  })

  it('looks at a provider whose circuit is open too, and leaves it open until the cooldown is over', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const provider = await fleet.busbar.provider('api', probeOf(upstream))
    await provider.trip({ forMs: 60_000 })
    const { code, stdout } = await fleet.run(['probe', 'api'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^api ● healthy \(HTTP 200\) in \d+ ms; circuit open \(trials in 5\ds\)\n$/)
    expect(await provider.snapshot()).toMatchObject({ state: 'open', lastProbeStatus: 'healthy' })
  })

  it('says why it did not probe, and answers 3: marked, pausing, no probe, unknown', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const provider = await fleet.busbar.provider('api', probeOf(upstream))
    await fleet.busbar.provider('plain', {})
    await provider.markUnhealthy({ reason: 'maintenance' })
    const marked = await fleet.json(['probe', 'api'])
    await provider.resume()
    await provider.record('throttled', { retryAfterMs: 60_000 })
    const pausing = await fleet.run(['probe', 'api'])
    const [plain, unknown] = [await fleet.run(['probe', 'plain']), await fleet.run(['probe', 'apj'])]
    expect([pausing.code, marked.code, plain.code, unknown.code]).toEqual([3, 3, 3, 3])
    expectOneLine(
      pausing,
      /^busbar: api was not probed: the provider asked for a pause; possible in (5\ds|1m)$/m,
    )
    expect(marked.value).toMatchObject({ probed: false, code: 'marked_unhealthy' })
    expectOneLine(plain, 'busbar: plain was not probed: no probe is configured')
    expectOneLine(unknown, /no provider apj in namespace/)
    expect(upstream.requests).toHaveLength(0)
  })

  it('beside a fleet is made by a worker, which is named; a paused queue and a code that nobody has are said', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const worker = await fleet.busbar.startProbes({ functions: { model: () => true } })
    onTestFinished(() => worker.close())
    const api = await fleet.busbar.provider('api', probeOf(upstream))
    await eventually(async () => (await api.snapshot()).lastProbeAt !== null, 'its first turn is over')
    const { code, stdout } = await fleet.run(['probe', 'api', '--timeout', '30s'])
    expect(stdout).toMatch(/^api ● healthy \(HTTP 200\) in \d+ ms, by worker-1; circuit closed\n$/)
    expect(code).toBe(0)
    expect(upstream.requests.map(({ userAgent }) => /\((.*)\)/.exec(userAgent)?.[1])).toEqual([
      ...['worker-1', 'worker-1'],
    ])
    const probe = { kind: 'function', intervalMs: HOUR } as const
    const model = await fleet.busbar.provider('model', { probe: { ...probe, name: 'model' } })
    await eventually(async () => (await model.snapshot()).lastProbeAt !== null, 'its first turn is over')
    const made = await fleet.json(['probe', 'model', '--timeout', '30s'])
    expect(made.value).toMatchObject({ probed: true, status: 'healthy', worker: 'worker-1' })
    await fleet.busbar.provider('nobody', { probe: { ...probe, name: 'nobody' } })
    const nobody = await fleet.run(['probe', 'nobody'])
    expectOneLine(nobody, 'busbar: nobody was not probed: no worker has registered function/nobody')

    const { hostname: host, port } = new URL(fleet.url)
    const connection = { host, port: Number(port) }
    const queue = new Queue('probes', { prefix: `{${fleet.namespace}}`, connection })
    onTestFinished(() => queue.close())
    await queue.pause()
    const paused = await fleet.run(['probe', 'api'])
    expectOneLine(
      paused,
      /^busbar: api was not probed: its probe queue \S+:probes is paused .* queue\.resume\(\) ends it$/m,
    )
    expect([nobody.code, paused.code]).toEqual([3, 3])
    expect(upstream.requests).toHaveLength(2)
    await queue.resume()
  })

  it('takes secrets from its environment, charges a missing one to nobody, and shows none', async () => {
    const fleet = await cliFleet()
    const upstream = await startUpstream()
    const headers = { authorization: 'Bearer ${env:API_KEY}' }
    const url = `${upstream.url}?key=\${env:API_KEY}`
    const provider = await fleet.busbar.provider('api', probeOf(upstream, { headers, url }))
    const missing = await fleet.run(['probe', 'api'])
    const broken = await fleet.run(['probe', 'api'], { env: { API_KEY: 'two\nlines' } })
    expect([missing.code, broken.code]).toEqual([3, 3])
    expectOneLine(
      missing,
      'busbar: api was not probed: probe.headers.authorization: the environment variable API_KEY is not set in the process that probes',
    )
    expectOneLine(broken, /the environment variable API_KEY holds a control character/)
    expect(await provider.snapshot()).toMatchObject({ historyTotal: 0, lastProbeAt: null })

    const env = { API_KEY: 's3cret &' }
    const sent = await fleet.run(['probe', 'api'], { env })
    expect(sent.code).toBe(0)
    expect(upstream.requests[0]).toMatchObject({ path: '/health?key=s3cret%20%26' })
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer s3cret &')
    for (const command of ['status', 'explain', 'events']) {
      const { stdout } = await fleet.run([command, 'api', '--json'], { env })
      expect(stdout).not.toContain('s3cret')
      if (command === 'status') expect(stdout).toContain('"authorization": "Bearer ${env:API_KEY}"')
    }
  })
})
