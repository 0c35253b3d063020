import { expect, test } from 'vitest'
import { figure } from '../harness/figure.js'
import { startUpstream } from '../harness/http-upstream.js'
import {
  answers,
  BACK_WITHIN_MS,
  fleet,
  isBlocking,
  isCommands,
  isQueue,
  isSubscription,
  names,
  timed,
} from './dropped-flows-fleet.js'

test('the connection for commands is replaced, under traffic and idle, and the log names it', async () => {
  const { proxy, near } = await fleet()
  await near.busbar.provider('x')
  expect(proxy.drop(isCommands)).toBe(1)
  await expect(near.busbar.get('x')?.state()).rejects.toThrow('no answer')
  const busy = await timed('back under traffic', answers(near.busbar, 'x'))
  expect(names(near.replaced())).toEqual(['commands'])
  expect(proxy.drop(isCommands)).toBe(1)
  const idle = await timed('replaced while idle', () => near.busbar.counters.connectionsReplaced === 2)
  await timed('back', answers(near.busbar, 'x'))
  expect(names(near.replaced())).toEqual(['commands', 'commands'])
  figure(16, `commands: back after ${busy} ms under traffic, ${idle} ms idle`)
})

test('a subscription is replaced, and the process hears what its fleet does again', async () => {
  const { proxy, near, far } = await fleet()
  const heard: string[] = []
  near.busbar.on('opened', ({ reason }) => heard.push(reason))
  await near.busbar.provider('x')
  const x = await far.provider('x')
  expect(proxy.drop(isSubscription)).toBe(1)
  await x.trip({ reason: 'unheard' })
  let trips = 0
  const ms = await timed('an event is heard', async () => {
    trips += 1
    await x.trip({ reason: `number ${trips}` })
    return heard.length > 0
  })
  expect(near.busbar.get('x')?.peek()?.state).toBe('open')
  expect(names(near.replaced())).toEqual(['subscription'])
  expect(near.busbar.counters.connectionsReplaced).toBe(1)
  figure(16, `subscription: back after ${ms} ms`)
})

test('dropped with the commands, a subscription is replaced before calls are decided by Redis again', async () => {
  const { proxy, near, far } = await fleet()
  const x = await near.busbar.provider('x')
  const replacedWhenBack: ReturnType<typeof names>[] = []
  near.busbar.on('store_restored', () => replacedWhenBack.push(names(near.replaced())))
  expect(proxy.drop(isCommands) + proxy.drop(isSubscription)).toBe(2)
  await timed('lost and back', async () => {
    await x.execute(() => 1)
    return replacedWhenBack.length > 0
  })
  expect(replacedWhenBack).toEqual([['commands', 'subscription']])
  await (await far.provider('x')).trip({ reason: 'heard at once' })
  await timed('it is heard', () => x.peek()?.state === 'open')
})

test.each([
  ['for commands', isQueue, 'probe queue {busbar}'],
  ['that blocks', isBlocking, 'probe queue {busbar}, blocking'],
] as const)(
  "the queue's connection %s is replaced, and new providers are probed",
  async (_what, isIt, name) => {
    const { proxy, near, far } = await fleet()
    const upstream = await startUpstream()
    const probed = async (id: string) => {
      const probe = { kind: 'http', url: upstream.url, intervalMs: 500, timeoutMs: 400 } as const
      const provider = await far.provider(id, { probe })
      return async () => (await provider.historySize()) > 0
    }
    await near.busbar.startProbes()
    await timed('a first provider is probed', await probed('first'))
    await timed('the queue waits for jobs', () => proxy.count(isIt) > 0)
    expect(proxy.drop(isIt)).toBe(1)
    const began = performance.now()
    await timed('a new provider is probed', await probed('second'))
    await timed('replaced', () => near.busbar.counters.connectionsReplaced > 0)
    await timed('the queue waits for jobs again', () => proxy.count(isIt) > 0)
    const ms = Math.round(performance.now() - began)
    expect(ms).toBeLessThan(BACK_WITHIN_MS)
    expect(names(near.replaced())).toEqual([name])
    figure(16, `${name}: back after ${ms} ms`)
  },
)
