import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { AlertOptions, Busbar, Logger } from '../../src/index.js'
import { metricsText, register } from '../../src/metrics/prometheus.js'
import { eventually } from '../harness/eventually.mjs'
import { freePort, isSigned, startHookServer } from '../harness/hook-server.js'
import { realFleet } from '../harness/real-fleet.js'
import { contentOf } from '../harness/redis-content.js'

const SECRET = 'a-secret-of-the-tests'
const PATH = '/services/T000/B000/a-secret-path'
const QUICK = { groupMs: 300, retryMs: 20 } as const

function withEnv(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

/** Keeps what a process logs, as text. */
function recorder(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, message: string) =>
    void lines.push(
      `${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? `${value.message} ${value.stack ?? ''}` : value))}`,
    )
  return { logger: { debug: write, info: write, warn: write, error: write }, lines }
}

const flap = async (busbar: Busbar, id: string, times: number) => {
  const provider = await busbar.provider(id)
  for (let i = 0; i < times; i += 1) {
    await provider.trip({ reason: 'flaps', actor: 'test' })
    await provider.reset({ actor: 'test' })
  }
}

describe('a webhook and a chat', () => {
  it('are told of several openings in one message each, signed, and their URLs and secrets are nowhere', async () => {
    const [hook, chat] = [await startHookServer(), await startHookServer()]
    withEnv({ OPS_URL: hook.url + PATH, OPS_SECRET: SECRET, CHAT_URL: chat.url + PATH })
    const fleet = realFleet()
    const { logger, lines } = recorder()
    const busbar = await fleet.join({ logger })
    const other = await fleet.join()
    const hooks: AlertOptions['hooks'] = {
      ops: { kind: 'webhook', url: '${env:OPS_URL}', secret: '${env:OPS_SECRET}' },
      chat: { kind: 'slack', url: '${env:CHAT_URL}' },
    }
    for (const one of [busbar, other]) await one.startAlerts({ hooks, ...QUICK, groupMs: 1_000 })
    const providers = await Promise.all(['agent:a', 'b', 'c', 'd'].map((id) => busbar.provider(id)))
    const trips = providers.slice(0, 3).map((one) => one.trip({ reason: 'down <!channel>', actor: 'alice' }))
    await Promise.all(trips)
    await eventually(() => hook.deliveries.length > 0 && chat.deliveries.length > 0)
    await flap(other, 'd', 2)
    await eventually(() => hook.deliveries.length > 1 && chat.deliveries.length > 1)

    const [first, second] = hook.messages()
    expect(first).toMatchObject({
      hook: 'ops',
      namespace: fleet.namespace,
      status: 'firing',
      omitted: 0,
      test: false,
    })
    expect(first?.alerts.map(({ provider }) => provider).sort()).toEqual(['agent:a', 'b', 'c'])
    expect(first?.alerts[0]).toMatchObject({
      kind: 'opened',
      status: 'firing',
      from: 'closed',
      actor: 'alice',
    })
    expect(first?.text).toContain(`[firing] ${fleet.namespace}: 3 firing\n- firing: `)
    expect(second).toMatchObject({
      status: 'resolved',
      alerts: [{ provider: 'd', counts: { opened: 2, reset: 2 } }],
    })
    expect(second?.text).toContain('d reset (from open), by test (opened 2 times, reset 2 times in ')
    for (const delivery of hook.deliveries) expect(isSigned(delivery, SECRET)).toBe(true)
    expect(hook.deliveries.map(({ id }) => id)).toEqual(hook.messages().map(({ delivery }) => delivery))
    expect(chat.deliveries[0]?.signature).toBeUndefined()
    const said = JSON.parse(chat.deliveries[0]?.body ?? '') as { text: string }
    expect(Object.keys(said)).toEqual(['text'])
    expect(said.text).toContain('agent:a opened: down &lt;!channel&gt;, by alice')
    expect([hook.deliveries.length, chat.deliveries.length]).toEqual([2, 2])

    const everything = `${await contentOf(fleet.redis, fleet.namespace)} ${lines.join(' ')}`
    for (const secret of [SECRET, PATH, hook.url, chat.url]) expect(everything).not.toContain(secret)
    expect(everything).toContain('alerts-ops')
  })
})

describe('a hook that is down', () => {
  it('is told once when it is back, and then of all that happened meanwhile; another is not held up', async () => {
    const port = await freePort()
    const well = await startHookServer()
    const fleet = realFleet()
    const { logger, lines } = recorder()
    const busbar = await fleet.join({ logger })
    const { registry } = register(busbar)
    const hooks = {
      dead: { kind: 'webhook', url: `http://127.0.0.1:${port}${PATH}` },
      well: { kind: 'webhook', url: well.url, on: ['opened', 'marked'] },
    } as const
    await busbar.startAlerts({ hooks, ...QUICK })
    const provider = await busbar.provider('api', { breaker: { failureThreshold: 1 } })
    await provider.recordFailure()
    await eventually(() => lines.filter((line) => line.includes('was not delivered')).length >= 3)
    await provider.reset()
    await flap(busbar, 'other', 3)
    await provider.markUnhealthy()
    await eventually(() =>
      well
        .messages()
        .flatMap(({ alerts }) => alerts)
        .some(({ kind }) => kind === 'marked'),
    )
    const hook = await startHookServer(port)
    await eventually(() => hook.deliveries.length >= 2)

    const [late, meanwhile, ...more] = hook.messages()
    expect(late).toMatchObject({
      status: 'firing',
      alerts: [{ provider: 'api', kind: 'opened', counts: { opened: 1 } }],
    })
    expect(meanwhile?.alerts).toMatchObject([
      { provider: 'api', kind: 'reset', counts: { reset: 1 } },
      { provider: 'other', kind: 'reset', counts: { opened: 3, reset: 3 } },
    ])
    expect(more).toEqual([])
    expect(well.messages().flatMap(({ alerts }) => alerts.map(({ kind }) => kind))).not.toContain('reset')
    const counted = async () => (await metricsText(registry)).text
    await eventually(async () =>
      expect(await counted()).toMatch(/busbar_alerts_total\{hook="dead",result="delivered"\} 2/),
    )
    expect(await counted()).toMatch(/busbar_alerts_total\{hook="dead",result="failed"\} ([3-9]|\d\d)/)
    expect(lines.join(' ')).not.toContain(String(port))
    expect(await contentOf(fleet.redis, fleet.namespace)).not.toContain(PATH)
  })
})

describe('a fleet without a process that sends alerts', () => {
  it('tells late what happened meanwhile, and nothing from before the hook was known', async () => {
    const hook = await startHookServer()
    const fleet = realFleet()
    const busbar = await fleet.join()
    await flap(busbar, 'old', 1)
    const options = { hooks: { ops: { kind: 'webhook', url: hook.url } }, ...QUICK } as const
    const worker = await busbar.startAlerts(options)
    await worker.close()
    await flap(busbar, 'old', 2)
    await flap(busbar, 'new', 1)
    await busbar.startAlerts(options)
    await eventually(() => hook.deliveries.length > 0)
    expect(hook.messages()).toHaveLength(1)
    expect(hook.messages()[0]?.alerts.map(({ provider, counts }) => [provider, counts.opened])).toEqual([
      ['old', 2],
      ['new', 1],
    ])
  })
})

describe('what a hook is told of', () => {
  it('is what it asks for: kinds, providers, groups; a failed trial is the same outage', async () => {
    const hook = await startHookServer()
    const fleet = realFleet()
    const busbar = await fleet.join()
    const url = hook.url
    await busbar.startAlerts({
      hooks: {
        llm: { kind: 'webhook', url: `${url}/llm`, on: ['opened'], groups: ['llm'], providers: ['agent:*'] },
      },
      ...QUICK,
    })
    const quick = { failureThreshold: 1, cooldownMs: 1 }
    const member = await busbar.provider('openai', { group: 'llm', breaker: quick })
    await flap(busbar, 'payments', 1)
    await flap(busbar, 'agent:7', 1)
    await member.recordFailure()
    await eventually(async () => (await member.state()) === 'half_open')
    const trial = await member.admit()
    if (trial.admitted) await trial.permit.settle('unhealthy')
    await eventually(() => hook.deliveries.length > 0)
    const told = () =>
      hook.messages().flatMap(({ alerts }) => alerts.map(({ provider, counts }) => [provider, counts]))
    await eventually(() => told().length === 2)
    expect(new Map(told() as [string, object][])).toEqual(
      new Map([
        ['agent:7', { opened: 1 }],
        ['openai', { opened: 1 }],
      ]),
    )
  })
})

describe('a receiver that does harm', () => {
  it('is not followed elsewhere, and its answer is not read to the end', async () => {
    const elsewhere = await startHookServer()
    const hook = await startHookServer()
    let wrote = 0
    hook.answer((response) => {
      response.writeHead(302, { location: elsewhere.url })
      const more = () => {
        wrote += 1
        if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more))
      }
      more()
    })
    const fleet = realFleet()
    const { logger, lines } = recorder()
    const busbar = await fleet.join({ logger })
    await busbar.startAlerts({ hooks: { ops: { kind: 'webhook', url: hook.url } }, ...QUICK })
    await flap(busbar, 'api', 1)
    await eventually(() => lines.some((line) => line.includes('"reason":"HTTP 302"')))
    hook.answer(204)
    await eventually(
      () =>
        new Set(hook.deliveries.map(({ id }) => id)).size === 1 &&
        lines.some((line) => line.startsWith('alert delivered')),
    )
    expect(elsewhere.deliveries).toEqual([])
    expect(wrote).toBeLessThan(1_000)
  })
})

describe('hooks that make no sense', () => {
  const url = 'https://user:hunter2@example.com/secret'
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no hooks', { hooks: {} }, 'alerts.hooks: expected 1 to 16 hooks, got 0'],
    [
      'a name',
      { hooks: { 'a b': { kind: 'slack', url } } },
      'alerts.hooks.a b: expected 1 to 64 letters, digits, _ and -, its value is not shown',
    ],
    [
      'a kind',
      { hooks: { ops: { kind: 'mail', url } } },
      'alerts.hooks.ops.kind: expected one of webhook, slack, got "mail"',
    ],
    [
      'a URL',
      { hooks: { ops: { kind: 'slack', url: 'ftp://hunter2' } } },
      'alerts.hooks.ops.url: expected an absolute http: or https: URL, or ${env:NAME}',
    ],
    [
      'a reference',
      { hooks: { ops: { kind: 'slack', url: '${hunter2}' } } },
      'alerts.hooks.ops.url: expected references to environment variables as ${env:NAME}',
    ],
    [
      'a secret',
      { hooks: { ops: { kind: 'webhook', url, secret: 'hunter2' } } },
      'alerts.hooks.ops.secret: expected a secret of 8 to 1024 characters, or ${env:NAME}',
    ],
    [
      'an event',
      { hooks: { ops: { kind: 'slack', url, on: ['opend'] } } },
      'alerts.hooks.ops.on.0: expected one of registered, opened, half_opened, closed, reset, marked, resumed, throttled, probe_overdue, worker_suspected, worker_cleared, settings_changed, got "opend"',
    ],
    [
      'a time',
      { hooks: { ops: { kind: 'slack', url } }, groupMs: 5 },
      'alerts.groupMs: expected a whole number from 100 to 600000, got 5',
    ],
    [
      'an unknown option',
      { hooks: { ops: { kind: 'slack', url, retry: 3 } } },
      'alerts.hooks.ops.retry: unknown setting (its value is not shown)',
    ],
    [
      'a missing variable',
      { hooks: { ops: { kind: 'slack', url: '${env:BUSBAR_TEST_NONE}' } } },
      'alerts.hooks.ops.url: the environment variable BUSBAR_TEST_NONE is not set',
    ],
    [
      'a variable that is no URL',
      { hooks: { ops: { kind: 'slack', url: '${env:BUSBAR_TEST_WRONG}' } } },
      'alerts.hooks.ops.url: what ${env:BUSBAR_TEST_WRONG} gives is no absolute http: or https: URL',
    ],
  ]

  it('are refused by path, without the URL or the secret', async () => {
    withEnv({ BUSBAR_TEST_WRONG: 'hunter2' })
    const busbar = await realFleet().join()
    for (const [what, options, message] of cases) {
      const error = await busbar.startAlerts(options as AlertOptions).catch((thrown: unknown) => thrown) // on purpose
      expect(error, what).toMatchObject({ code: 'argument_invalid', message })
      expect(String(error), what).not.toContain('hunter2')
    }
  })
})
