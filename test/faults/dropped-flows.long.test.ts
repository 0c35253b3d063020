import { Cluster, Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { BIN, startCommand } from '../harness/cli.js'
import { startCluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { startUpstream } from '../harness/http-upstream.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { startSentinels } from '../harness/sentinel.js'
import {
  answers,
  BACK_WITHIN_MS,
  fleet,
  isBlocking,
  isCommands,
  isSubscription,
  join,
  names,
  timed,
} from './dropped-flows-fleet.js'

test("a Cluster's nodes are replaced, each by itself", async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const proxies = new Map<string, Proxy>()
  const natMap: Record<string, { host: string; port: number }> = {}
  for (const { server } of [...cluster.masters, ...cluster.replicas]) {
    const proxy = await startProxy(server.port)
    proxies.set(String(server.port), proxy)
    natMap[`127.0.0.1:${server.port}`] = { host: '127.0.0.1', port: Number(new URL(proxy.url).port) }
  }
  const mine = new Cluster([...Object.values(natMap)], { natMap, lazyConnect: true })
  onTestFinished(() => mine.disconnect())
  const near = await join({ redis: mine })
  const ids = Array.from({ length: 12 }, (_, i) => `p${i}`)
  for (const id of ids) await near.busbar.provider(id)
  const one = [...proxies.values()].find((proxy) => proxy.count((sent) => /evalsha/i.test(sent)) > 0)
  expect(one?.drop((sent) => /evalsha/i.test(sent))).toBe(1)
  const all = async () => {
    for (const id of ids) if (!(await answers(near.busbar, id)())) return false
    return near.busbar.counters.connectionsReplaced > 0
  }
  const ms = await timed('every provider answers', all)
  expect(names(near.replaced())).toEqual([expect.stringMatching(/^commands, node 127\.0\.0\.1:\d+$/)])
  figure(16, `a node of a Cluster: back after ${ms} ms`)
})

test('with Sentinels the connections to the master and to a Sentinel are replaced, and a lookup goes past one that is mute', async () => {
  const trio = await startSentinels()
  onTestFinished(() => trio.stop())
  const master = await startProxy(trio.master.port)
  const sentinels = await Promise.all(trio.sentinels.map(({ port }) => startProxy(port)))
  const portOf = ({ url }: Proxy) => Number(new URL(url).port)
  const near = await join({
    redis: {
      sentinels: sentinels.map((proxy) => ({ host: '127.0.0.1', port: portOf(proxy) })),
      name: 'fleet',
      updateSentinels: false,
      natMap: { [`127.0.0.1:${trio.master.port}`]: { host: '127.0.0.1', port: portOf(master) } },
    },
  })
  await near.busbar.provider('x')
  const [first] = sentinels
  const listeners = () => sentinels.reduce((sum, proxy) => sum + proxy.count(isSubscription), 0)
  await timed('it listens to the Sentinels', () => listeners() === 6)
  const dropped = first?.drop(isSubscription) ?? 0
  expect(dropped).toBe(2)
  const listening = await timed('it listens to all Sentinels again', () => listeners() === 6)
  expect(names(near.replaced()).sort()).toEqual([
    `commands, Sentinel 127.0.0.1:${first === undefined ? 0 : portOf(first)}`,
    `subscription, Sentinel 127.0.0.1:${first === undefined ? 0 : portOf(first)}`,
  ])
  for (const proxy of sentinels.slice(0, 2)) proxy.mute()
  expect(master.drop(isCommands)).toBe(1)
  const ms = await timed(
    'commands are answered',
    async () => (await answers(near.busbar, 'x')()) && near.busbar.counters.connectionsReplaced >= 3,
  )
  expect(names(near.replaced())).toContain('commands')
  figure(
    16,
    `with Sentinels: listening again after ${listening} ms, commands after ${ms} ms with two Sentinels mute`,
  )
})

test('everything at once, and for 8 s no new flow either: all are back within 15 s of Redis being reachable', async () => {
  const { proxy, near, far } = await fleet()
  const upstream = await startUpstream()
  const heard: string[] = []
  near.busbar.on('registered', ({ providerId }) => heard.push(providerId))
  await near.busbar.provider('x')
  await near.busbar.startProbes()
  await timed('the queue waits for jobs', () => proxy.count(isBlocking) > 0)
  const dropped = proxy.drop()
  proxy.mute()
  const muteUntil = performance.now() + 8_000
  await eventually(() => performance.now() > muteUntil, { timeoutMs: BACK_WITHIN_MS })
  proxy.restore()
  const began = performance.now()
  const probe = { kind: 'http', url: upstream.url, intervalMs: 500, timeoutMs: 400 } as const
  const late = await far.provider('late', { probe })
  await timed('commands are answered', answers(near.busbar, 'x'))
  let count = 0
  await timed('registrations are heard', async () => {
    count += 1
    await far.provider(`heard${count}`)
    return heard.length > 0
  })
  await timed('a new provider is probed', async () => (await late.historySize()) > 0)
  await timed('the queue waits for jobs', () => proxy.count(isBlocking) > 0)
  const ms = Math.round(performance.now() - began)
  expect(ms).toBeLessThan(BACK_WITHIN_MS)
  figure(16, `${dropped} flows at once, 8 s without new ones: all back after ${ms} ms`)
})

test('a command of the CLI that follows events hears them again', async () => {
  const { proxy, far } = await fleet()
  const following = startCommand([BIN, 'events', '-f', '--redis', proxy.url])
  onTestFinished(() => void process.kill(following.pid))
  const x = await far.provider('x')
  await following.said(/x registered/)
  // That of the process of this test, and that of the command.
  expect(proxy.drop(isSubscription)).toBe(2)
  const began = performance.now()
  await x.trip({ reason: 'seen in the end' })
  await following.said(/x opened: seen in the end/, BACK_WITHIN_MS)
  figure(16, `busbar events -f: back after ${Math.round(performance.now() - began)} ms`)
})

test('a frozen Redis is not taken for a dropped flow, nor flooded with connections: thawed, the same sockets go on', async () => {
  const { server, proxy, near } = await fleet()
  await near.busbar.provider('x')
  const before = proxy.accepted
  process.kill(server.pid, 'SIGSTOP')
  onTestFinished(() => void process.kill(server.pid, 'SIGCONT'))
  await timed('lost', async () => {
    await near.busbar
      .get('x')
      ?.state()
      .catch(() => undefined)
    return near.busbar.degradedSince !== undefined
  })
  const FROZEN_MS = 12_000
  const thawAt = performance.now() + FROZEN_MS
  await eventually(() => performance.now() > thawAt, { timeoutMs: 2 * FROZEN_MS })
  const attempts = proxy.accepted - before
  process.kill(server.pid, 'SIGCONT')
  const ms = await timed('back', answers(near.busbar, 'x'))
  expect(near.busbar.counters.connectionsReplaced).toBe(0)
  expect(near.replaced()).toEqual([])
  expect(attempts).toBeLessThanOrEqual(6)
  figure(
    16,
    `Redis frozen for ${FROZEN_MS} ms: 0 connections replaced, ${attempts} opened to test it, back ${ms} ms after`,
  )
})

test('a process that stands still itself takes no connection for dead', async () => {
  const { server, near } = await fleet()
  const admin = new Redis(server.url)
  onTestFinished(() => admin.disconnect())
  const x = await near.busbar.provider('x')
  const pings = async () =>
    Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
  for (let i = 0; i < 3; i += 1) {
    const asked = x.state().catch(() => undefined)
    const until = performance.now() + 3_500
    while (performance.now() < until);
    await asked
  }
  const before = await pings()
  await timed('connections are looked at again', async () => (await pings()) > before)
  expect(near.busbar.counters.connectionsReplaced).toBe(0)
  expect(near.replaced()).toEqual([])
})
