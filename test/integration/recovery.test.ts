import { describe, expect, it } from 'vitest'
import { worker, type CallerActions } from '../faults/workers.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream, type HttpUpstream, type SeenRequest } from '../harness/http-upstream.js'
import { besideMachine } from '../harness/machine.js'
import { gapsOf } from '../harness/probe-decisions.mjs'
import { HOUR, probeOf, realFleet } from '../harness/real-fleet.js'

const isProbe = ({ userAgent }: SeenRequest) => userAgent.startsWith('busbar-probe/')

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity

const COOLDOWN_MS = 1_200
/** While it is open nothing is due but the recovery. */
const AT_NIGHT = { timeoutMs: 90, downIntervalMs: HOUR }
const RECOVERY = { failureThreshold: 2, cooldownMs: COOLDOWN_MS } as const

/** Fails until its circuit opens, then is well again. Answers how many requests it had until then. */
async function dies(upstream: HttpUpstream, isOpen: () => Promise<boolean>): Promise<number> {
  upstream.behave({ status: 503 })
  await eventually(isOpen, 'it opens')
  upstream.behave({})
  return upstream.requests.length
}

describe('a provider that dies at night, without traffic', () => {
  it.each([1, 2])('is back by one probe at the end of the cooldown, with %i workers', async (workers) => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbars = await Promise.all(Array.from({ length: workers }, () => fleet.join()))
    await Promise.all(busbars.map((busbar) => busbar.startProbes()))
    const [first] = busbars
    const provider = await first?.provider('a', { ...probeOf(upstream, 100, AT_NIGHT), breaker: RECOVERY })
    if (provider === undefined) throw new Error('no worker')
    await eventually(() => upstream.requests.length > 2, 'it is probed')
    const { lostMs } = await besideMachine(async () => {
      await dies(upstream, async () => (await provider.state()) === 'open')
      await eventually(async () => (await provider.state()) === 'closed', 'it is back')
    })
    // On a machine that stands still a probe is overdue at any moment.
    const events = (await provider.events()).filter(({ kind }) => kind !== 'probe_overdue')
    const [opened, halfOpened, closed] = events.slice(-3)
    expect(events.slice(-3).map(({ kind }) => kind)).toEqual(['opened', 'half_opened', 'closed'])
    // By Redis's clock: nobody tries it before, and the one probe that closed it came soon after.
    const afterMs = (halfOpened?.at ?? 0) - (opened?.at ?? 0)
    expect(afterMs).toBeGreaterThanOrEqual(COOLDOWN_MS)
    expect(afterMs).toBeLessThan(COOLDOWN_MS + 600 + lostMs)
    expect(closed?.reason).toBe('1 successful trial')
    const { historyTotal } = await provider.snapshot()
    await eventually(async () => (await fleet.planned())['a'] === 100, 'the usual pace is back')
    expect(historyTotal).toBeLessThanOrEqual(upstream.requests.length)
  })

  it('is tried by no call before, with `recovery: probe`', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    const breaker = { ...RECOVERY, recovery: 'probe' as const }
    const provider = await busbar.provider('a', { ...probeOf(upstream, 100, AT_NIGHT), breaker })
    await eventually(() => upstream.requests.length > 2, 'it is probed')
    const before = await dies(upstream, async () => (await provider.state()) === 'open')
    const refusals = new Set<unknown>()
    const call = async () => {
      try {
        await provider.execute(() => fetch(upstream.url.replace('health', 'user')))
        return true
      } catch (error) {
        refusals.add(error instanceof Error && 'reason' in error ? error.reason : error)
        return false
      }
    }
    await eventually(call, 'a call gets through')
    const since = upstream.requests.slice(before)
    const user = since.findIndex(({ path }) => path === '/user')
    expect(user).toBeGreaterThan(0)
    expect(since.slice(0, user).every(isProbe)).toBe(true)
    expect(upstream.requests.filter(({ path }) => path === '/user')).toHaveLength(1)
    expect(refusals.size).toBeGreaterThan(0)
  })

  it('stays open while its recovery probes fail, one at the end of each cooldown', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    const breaker = { ...RECOVERY, cooldownMs: 400 }
    const provider = await busbar.provider('a', { ...probeOf(upstream, 100, AT_NIGHT), breaker })
    upstream.behave({ status: 503 })
    const happened = async () =>
      (await provider.events()).filter(({ kind }) => kind === 'opened' || kind === 'half_opened')
    const { lostMs } = await besideMachine(() =>
      eventually(async () => (await happened()).length >= 7, 'it is tried three times'),
    )
    const events = (await happened()).slice(0, 7)
    expect(events.map(({ kind }) => kind)).toEqual([
      'opened',
      ...Array.from({ length: 3 }, () => ['half_opened', 'opened']).flat(),
    ])
    // From each opening to the trial that ends its cooldown, by Redis's clock.
    const waits = [1, 3, 5].map((i) => (events[i]?.at ?? 0) - (events[i - 1]?.at ?? 0))
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(400)
    expect(median(waits)).toBeLessThan(900 + lostMs)
  })
})

describe('the pace of the probes', () => {
  it('is quicker while a provider is suspicious, another while it is open, and then as ever', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    const paces = { timeoutMs: 90, suspiciousIntervalMs: 100, downIntervalMs: 400 }
    const provider = await busbar.provider('a', {
      ...probeOf(upstream, 1_000, paces),
      breaker: { failureThreshold: 5, cooldownMs: 2_500 },
    })
    const planned = async () => (await fleet.planned())['a']
    const { claims } = await fleet.decisionsOf('a')
    await eventually(() => upstream.requests.length >= 2, 'it is probed twice')
    expect(await planned()).toBe(1_000)
    upstream.behave({ status: 503 })
    await eventually(async () => (await planned()) === 100, 'it is planned closer')
    const suspicious = claims.length
    const closer = await besideMachine(() =>
      eventually(async () => (await provider.state()) === 'open', 'it opens'),
    )
    // Four turns at least, so three gaps, of 100 ms each.
    expect(median(gapsOf(claims.slice(suspicious)))).toBeLessThan(300 + closer.lostMs)
    await eventually(async () => (await planned()) === 400, 'it is planned wider')
    const open = claims.length
    const wider = await besideMachine(() =>
      eventually(() => claims.length >= open + 4, 'it is probed while open'),
    )
    const whileOpen = gapsOf(claims.slice(open, open + 4))
    expect(Math.min(...whileOpen)).toBeGreaterThan(200)
    expect(median(whileOpen)).toBeLessThan(700 + wider.lostMs)
    upstream.behave({})
    await eventually(async () => (await provider.state()) === 'closed', 'it closes')
    await eventually(async () => (await planned()) === 1_000, 'it is planned as ever')
  })
})

describe('a function that one of several workers has', () => {
  it('is called at its period: no other worker takes its jobs', async () => {
    const fleet = realFleet()
    const calls: number[] = []
    const [one, ...others] = await Promise.all(Array.from({ length: 6 }, () => fleet.join()))
    if (one === undefined) throw new Error('no worker')
    const model = () => calls.push(performance.now()) > 0
    await one.startProbes({ functions: { 'team:model': model } })
    await Promise.all(others.map((other) => other.startProbes()))
    const { claims } = await fleet.decisionsOf('a')
    const probe = { kind: 'function', name: 'team:model', intervalMs: 300 } as const
    const provider = await one.provider('a', { probe })
    const { lostMs } = await besideMachine(() =>
      eventually(() => calls.length >= 11, 'it is called ten times'),
    )
    const elapsedMs = (calls[10] ?? Infinity) - (calls[0] ?? 0)
    expect(elapsedMs).toBeLessThan(10 * 300 * 1.5 + lostMs)
    expect(Math.min(...gapsOf(claims))).toBeGreaterThan(150)
    expect(calls.length).toBeLessThanOrEqual(claims.length)
    for (const { counters } of others) expect(counters.probesDiscarded).toBe(0)
    expect(await provider.snapshot()).toMatchObject({ state: 'closed', lastProbeStatus: 'healthy' })
  })
})

describe('a function that no worker has', () => {
  it('is told of once, as overdue, until somebody has it', async () => {
    const fleet = realFleet()
    const [one, two] = [await fleet.join(), await fleet.join()]
    await Promise.all([one.startProbes(), two.startProbes()])
    const provider = await one.provider('a', { probe: { kind: 'function', name: 'model', intervalMs: 200 } })
    const overdue = async () => (await provider.events()).filter(({ kind }) => kind === 'probe_overdue')
    await eventually(async () => (await overdue()).length > 0, 'it is overdue')
    expect((await overdue())[0]?.reason).toMatch(/^no probe result for \S+, every 200ms is wanted$/)
    expect(await provider.snapshot()).toMatchObject({ stale: true, lastProbeStatus: null, state: 'closed' })
    const three = await fleet.join()
    await three.startProbes({ functions: { model: () => true } })
    await eventually(async () => !(await provider.snapshot()).stale, 'it is probed')
    expect(await overdue()).toHaveLength(1)
    expect(await provider.snapshot()).toMatchObject({ probeOverdueAt: null, lastProbeStatus: 'healthy' })
  })
})

interface ProberActions extends CallerActions {
  block(ms: number): void
}

describe('a worker whose event loop stands still', () => {
  it('marks no provider: what it found meanwhile is discarded', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    // It answers in well under the limit, on a busy machine too; the worker is not there to hear it.
    upstream.behave({ delayMs: 150 })
    const settings = { ...probeOf(upstream, 1_600, { timeoutMs: 1_500 }), breaker: { failureThreshold: 1 } }
    const prober = await worker<ProberActions>('prober', fleet, { id: 'a', clockDouble: false, settings })
    const provider = await (await fleet.join()).provider('a', settings)
    for (let probes = 1; probes <= 4; probes += 1) {
      const { length } = upstream.requests
      await eventually(() => upstream.requests.length > length, 'a probe is under way')
      await prober.ask('block', 1_800)
    }
    const discarded = async () => (await prober.ask('counters'))['probesDiscarded'] ?? 0
    await eventually(async () => (await discarded()) >= 3, 'what was found is discarded')
    // Nothing but that there was no result.
    const kinds = (await provider.events()).map(({ kind }) => kind).filter((kind) => kind !== 'probe_overdue')
    expect(kinds).toEqual(['registered'])
    expect((await provider.history()).filter(({ status }) => status !== 'healthy')).toEqual([])
    // A provider that does not answer in time is still charged.
    upstream.behave({ delayMs: 3_000 })
    await eventually(async () => (await provider.state()) === 'open', 'it opens')
  })

  it('calls no provider slow for the time in which it could not look', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const settings = probeOf(upstream, 2_000, { timeoutMs: 1_950, degradedMs: 900 })
    // It answers in well under the limit, on a busy machine too; the worker is not there to hear it.
    upstream.behave({ delayMs: 100 })
    const prober = await worker<ProberActions>('prober', fleet, { id: 'a', clockDouble: false, settings })
    const provider = await (await fleet.join()).provider('a', settings)
    for (let probes = 1; probes <= 3; probes += 1) {
      const { length } = upstream.requests
      await eventually(() => upstream.requests.length > length, 'a probe is under way')
      await prober.ask('block', 1_200)
    }
    const discarded = async () => (await prober.ask('counters'))['probesDiscarded'] ?? 0
    await eventually(async () => (await discarded()) >= 3, 'what was found is discarded')
    expect((await provider.history()).filter(({ status }) => status !== 'healthy')).toEqual([])
    // A provider that is slow by itself is still called so.
    upstream.behave({ delayMs: 1_200 })
    await eventually(async () => (await provider.snapshot()).lastProbeStatus === 'degraded', 'it is slow')
  })
})
