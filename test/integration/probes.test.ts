import { describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream, type HttpUpstream } from '../harness/http-upstream.js'
import { watchMachine } from '../harness/machine.js'
import { gapsOf } from '../harness/probe-decisions.mjs'
import { HOUR, probeOf, realFleet } from '../harness/real-fleet.js'

/** Waits until a provider that is probed often was probed `count` times more: what else was due has come by then. */
async function whileOthersAreProbed(control: HttpUpstream, count: number): Promise<void> {
  const before = control.requests.length
  await eventually(() => control.requests.length >= before + count, 'the control is probed')
}

describe('a probe worker', () => {
  it('probes at once what was never probed, whichever came first', async () => {
    const fleet = realFleet()
    const [early, late] = [await startUpstream(), await startUpstream()]
    const busbar = await fleet.join({ workerId: 'w1' })
    await busbar.provider('early', probeOf(early, HOUR))
    await busbar.startProbes()
    await busbar.provider('team/late:eu', probeOf(late, HOUR))
    await eventually(() => early.requests.length === 1 && late.requests.length === 1, 'both are probed')
    expect(early.requests[0]?.userAgent).toMatch(/^busbar-probe\/\S+ \(w1\)$/)
    await eventually(async () => Object.keys(await fleet.planned()).length === 2, 'both are planned')
    expect(await fleet.planned()).toEqual({ early: HOUR, 'team/late:eu': HOUR })
  })

  it('does not probe again at once what was probed a moment ago', async () => {
    const fleet = realFleet()
    const [upstream, control] = [await startUpstream(), await startUpstream()]
    const first = await fleet.join()
    await first.provider('a', probeOf(upstream, HOUR))
    const worker = await first.startProbes()
    await eventually(() => upstream.requests.length === 1, 'it is probed')
    await worker.close()
    const second = await fleet.join()
    await second.startProbes()
    await second.provider('control', probeOf(control, 100))
    await whileOthersAreProbed(control, 3)
    expect(upstream.requests).toHaveLength(1)
  })

  it('shares the work: one probe per period, however many workers', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const one = await fleet.join({ workerId: 'w1' })
    const others = await Promise.all(['w2', 'w3'].map((workerId) => fleet.join({ workerId })))
    const { starts } = await fleet.decisionsOf('a')
    await Promise.all([one, ...others].map((busbar) => busbar.startProbes()))
    const provider = await one.provider('a', probeOf(upstream, 200))
    await eventually(() => upstream.requests.length >= 20, 'twenty periods pass')
    const elapsed = (starts.at(-1) ?? 0) - (starts[0] ?? 0)
    expect(Math.min(...gapsOf(starts))).toBeGreaterThan(100)
    expect(starts.length).toBeLessThanOrEqual(elapsed / 200 + 2)
    expect(upstream.requests.length).toBeLessThanOrEqual(starts.length)
    await eventually(async () => (await provider.historySize()) >= 20, 'each is in the history')
    expect(upstream.requests.length - (await provider.historySize())).toBeLessThanOrEqual(1)
  })

  it('puts what it found into the history and the circuit', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    upstream.behave({ status: 503 })
    const busbar = await fleet.join()
    await busbar.startProbes()
    const provider = await busbar.provider('a', probeOf(upstream, 150))
    await eventually(async () => (await provider.state()) === 'open', 'three failing probes open it')
    const [event] = (await provider.events()).filter(({ kind }) => kind === 'opened')
    expect(event?.reason).toContain('3 consecutive failed probes')
    const snapshot = await provider.snapshot()
    expect(snapshot).toMatchObject({ lastProbeStatus: 'unhealthy', lastProbeDetail: 'HTTP 503' })
    expect(snapshot.historyTotal).toBeGreaterThanOrEqual(3)
    expect(snapshot).toMatchObject({ historyHealthy: 0, consecutiveFailures: 0 })
  })

  it('closes a circuit after its cooldown, by a probe that holds the trial', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    upstream.behave({ status: 500 })
    const busbar = await fleet.join()
    await busbar.startProbes()
    const provider = await busbar.provider('a', { ...probeOf(upstream, 150), breaker: { cooldownMs: 400 } })
    await eventually(async () => (await provider.state()) === 'open', 'it opens')
    upstream.behave({})
    await eventually(async () => (await provider.state()) === 'closed', 'it closes')
    // On a machine that stands still a probe is overdue at any moment.
    const kinds = (await provider.events()).flatMap(({ kind }) => (kind === 'probe_overdue' ? [] : kind))
    expect(kinds.slice(0, 2)).toEqual(['registered', 'opened'])
    expect(kinds.slice(-2)).toEqual(['half_opened', 'closed'])
  })
})

describe('a tick whose worker died before it planned the next', () => {
  it('is begun again by the planner, which plans on meanwhile', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    await busbar.provider('a', probeOf(upstream, 200))
    await eventually(() => upstream.requests.length > 2, 'it is probed')
    // What such a death leaves behind: the tick taken and locked, and none planned after it.
    const key = (name: string) => `{${fleet.namespace}}:probes:${name}`
    const dutyTick = async () => {
      const delayed = await fleet.redis.zrange(key('delayed'), 0, -1)
      return delayed.find((id) => /^repeat:plan:\d+$/.test(id))
    }
    await eventually(async () => (await dutyTick()) !== undefined, 'the next tick is planned')
    const tick = (await dutyTick()) ?? ''
    await fleet.redis
      .multi()
      .zrem(key('delayed'), tick)
      .lpush(key('active'), tick)
      .set(key(`${tick}:lock`), 'a dead worker', 'PX', 60_000)
      .exec()
    const watch = watchMachine()
    const { length } = upstream.requests
    await eventually(() => busbar.counters.probeSchedulesRepaired > 0, 'it is noticed')
    await eventually(async () => (await dutyTick()) !== undefined, 'the ticks begin again')
    await eventually(() => upstream.requests.length >= length + 20, 'and the probes go on')
    const machine = watch.lostMs
    watch.stop()
    expect(Math.max(...upstream.gaps().slice(length))).toBeLessThan(1_000 + machine)
  })
})

describe('a failed call of a user', () => {
  it('brings one probe forward, for the whole fleet, and no more than one in a suspicious interval', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const [one, two] = [await fleet.join(), await fleet.join()]
    await one.startProbes()
    const settings = {
      ...probeOf(upstream, HOUR, { suspiciousIntervalMs: 1_500 }),
      breaker: { failureThreshold: 100_000 },
    }
    const { starts } = await fleet.decisionsOf('a')
    const watch = watchMachine()
    const provider = await one.provider('a', settings)
    const other = await two.provider('a')
    await eventually(() => upstream.requests.length === 1, 'it is probed for the first time')
    await eventually(async () => {
      await Promise.all([provider.recordFailure(), other.recordFailure()])
      return upstream.requests.length >= 4
    }, 'it is probed four times')
    watch.stop()
    expect(Math.min(...gapsOf(starts))).toBeGreaterThan(1_400)
    expect(Math.max(...gapsOf(starts))).toBeLessThan(3_000 + watch.lostMs)
    expect((await fleet.planned())['a']).toBe(HOUR)
  })

  it('brings none where no suspicious interval is set', async () => {
    const fleet = realFleet()
    const [upstream, control] = [await startUpstream(), await startUpstream()]
    const busbar = await fleet.join()
    await busbar.startProbes()
    const provider = await busbar.provider('a', probeOf(upstream, HOUR))
    await busbar.provider('control', probeOf(control, 100))
    await eventually(() => upstream.requests.length === 1, 'it is probed for the first time')
    await provider.recordFailure()
    await whileOthersAreProbed(control, 5)
    expect(upstream.requests).toHaveLength(1)
  })
})

describe('a mark', () => {
  it('ends the loop when it says unhealthy, and resume starts it again at once', async () => {
    const fleet = realFleet()
    const [upstream, control] = [await startUpstream(), await startUpstream()]
    const [one, two] = [await fleet.join(), await fleet.join()]
    await Promise.all([one.startProbes(), two.startProbes()])
    const provider = await one.provider('a', probeOf(upstream, 100))
    await one.provider('control', probeOf(control, 100))
    await eventually(() => upstream.requests.length > 2, 'it is probed')

    await provider.markUnhealthy({ reason: 'maintenance' })
    await eventually(async () => !('a' in (await fleet.planned())), 'its plan goes')
    const { length } = upstream.requests
    await whileOthersAreProbed(control, 5)
    expect(upstream.requests.length).toBe(length)

    await provider.resume()
    await eventually(() => upstream.requests.length >= length + 3, 'it is probed again')
    expect(await fleet.planned()).toEqual({ a: 100, control: 100 })
  })

  it('lets the loop run when it says degraded, also after unhealthy', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    const provider = await busbar.provider('a', probeOf(upstream, 100))
    await provider.markTerminated()
    await eventually(async () => !('a' in (await fleet.planned())), 'its plan goes')
    const { length } = upstream.requests
    await provider.markDegraded()
    await eventually(() => upstream.requests.length >= length + 3, 'it is probed again')
    expect(await provider.status()).toBe('degraded')
  })

  it('that runs out starts the loop again', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    const provider = await busbar.provider('a', probeOf(upstream, 100))
    await provider.markUnhealthy({ forMs: 800 })
    await busbar.startProbes()
    expect(await fleet.planned()).toEqual({})
    await eventually(() => upstream.requests.length >= 3, 'it is probed')
    expect((await provider.events()).map(({ kind }) => kind)).toContain('resumed')
  })
})

describe('changed settings', () => {
  it('take effect at once: a shorter interval, a longer one, another URL, no probe', async () => {
    const fleet = realFleet()
    const [upstream, other, control] = [await startUpstream(), await startUpstream(), await startUpstream()]
    const [one, two] = [await fleet.join(), await fleet.join()]
    await Promise.all([one.startProbes(), two.startProbes()])
    await one.provider('control', probeOf(control, 100))
    await one.provider('a', probeOf(upstream, HOUR))
    await eventually(() => upstream.requests.length === 1, 'it is probed once')

    await one.provider('a', probeOf(upstream, 100))
    await eventually(() => upstream.requests.length >= 5, 'it is probed often')

    await two.provider('a', probeOf(other, 100))
    await eventually(() => other.requests.length >= 3, 'the other is probed')

    await one.provider('a', probeOf(other, HOUR))
    await eventually(async () => (await fleet.planned())['a'] === HOUR, 'it is planned so')
    await whileOthersAreProbed(control, 2) // what was due before
    const { length } = other.requests
    await whileOthersAreProbed(control, 5)
    expect(other.requests.length).toBe(length)

    await one.provider('a', {})
    await eventually(async () => !('a' in (await fleet.planned())), 'its plan goes')
  })
})

describe('a removed provider', () => {
  it('is planned no more, and leaves nothing behind', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const [one, two] = [await fleet.join(), await fleet.join()]
    await Promise.all([one.startProbes(), two.startProbes()])
    await one.provider('a', probeOf(upstream, 100))
    await eventually(() => upstream.requests.length > 2, 'it is probed')
    await two.remove('a')
    const key = (name: string) => `{${fleet.namespace}}:${name}`
    await eventually(async () => !('a' in (await fleet.planned())), 'it is not planned')
    expect(await fleet.redis.exists(key('due'), key('intervals'), key('claimed'))).toBe(0)
    expect(await fleet.redis.hget(key('schedule'), 'rate')).toBe('0')
    expect(await one.providers()).toEqual([])
  })

  it('that nobody saw go is dropped when the next worker starts', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const one = await fleet.join()
    const worker = await one.startProbes()
    await one.provider('a', probeOf(upstream, HOUR))
    await eventually(async () => 'a' in (await fleet.planned()), 'it is planned')
    await worker.close()
    await one.remove('a')
    expect(await fleet.planned()).toEqual({ a: HOUR })
    await one.startProbes()
    expect(await fleet.planned()).toEqual({})
  })
})

describe('closing a probe worker', () => {
  it('lets the probe under way end, and records it', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    upstream.behave({ delayMs: 400, status: 418 })
    const busbar = await fleet.join()
    const worker = await busbar.startProbes()
    const provider = await busbar.provider('a', probeOf(upstream, HOUR))
    await eventually(() => upstream.requests.length === 1, 'it is probed')
    await worker.close()
    expect(await provider.snapshot()).toMatchObject({ lastProbeDetail: 'HTTP 418', historyTotal: 1 })
    await worker.close()
  })

  it('leaves no connection behind', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    const held = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    const blocked = async () => String(await fleet.redis.call('CLIENT', 'LIST')).split(`{${fleet.namespace}}`)
    const before = held()
    const worker = await busbar.startProbes()
    await busbar.provider('a', probeOf(upstream, 100))
    await eventually(() => upstream.requests.length >= 2, 'it is probed')
    expect(held()).toBeGreaterThanOrEqual(before + 2)
    expect(await blocked()).toHaveLength(2)
    await worker.close()
    await eventually(() => held() <= before, 'the sockets are closed')
    await eventually(async () => (await blocked()).length === 1, 'Redis saw them go')
  })

  it('keeps the queue small, however many probes there were', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join()
    await busbar.startProbes()
    await busbar.provider('a', probeOf(upstream, 20))
    await eventually(() => upstream.requests.length >= 10, 'it is probed')
    expect(await fleet.redis.hget(`{${fleet.namespace}}:probes:meta`, 'opts.maxLenEvents')).toBe('100')
    const { length } = upstream.requests
    await eventually(() => upstream.requests.length >= length + 110, 'more than a hundred are made')
    const kept = await fleet.redis.zrange(`{${fleet.namespace}}:probes:completed`, 0, -1)
    expect(kept).toHaveLength(100)
    // Of jobs: those kept, the ticks that are planned, and a probe that may be under way.
    const jobs = await fleet.redis.keys(`{${fleet.namespace}}:probes:*~at*`)
    expect(jobs.length).toBeLessThanOrEqual(104)
  })
})
