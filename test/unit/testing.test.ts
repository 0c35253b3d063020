import { mock } from 'node:test'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { CallRefusedError, CallTimeoutError, type ProbeFunction } from '../../src/index.js'
import { createTestBusbar, createTestClock, createTestFleet } from '../../src/testing.js'
import type { TestBusbar, TestBusbarOptions } from '../../src/testing.js'

const never = () => new Promise<never>(() => undefined)
const QUICK = { breaker: { failureThreshold: 1, cooldownMs: 1_000 } }

function open(options: TestBusbarOptions = {}): TestBusbar {
  const busbar = createTestBusbar(options)
  onTestFinished(() => busbar.close())
  return busbar
}

const endOf = (call: Promise<unknown>) => call.then(String, (error: unknown) => error)

afterEach(() => {
  vi.useRealTimers()
  mock.timers.reset()
})

describe('the timers of a test busbar', () => {
  it('follow its clock: a call runs into its time limit when the clock is moved past it, not before', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai')
    let ended = false
    const call = endOf(provider.execute(never, { timeoutMs: 5_000 }).finally(() => (ended = true)))
    await busbar.clock.advanceAsync(4_999)
    expect(ended).toBe(false)
    busbar.clock.advance(1)
    expect(await call).toBeInstanceOf(CallTimeoutError)
    expect(await provider.history()).toMatchObject([{ status: 'timeout', count: 1 }])
  })

  it('fire in the order of their times, each with the clock at its own time', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai')
    const began = busbar.clock.now()
    const fired: [string, number][] = []
    const limit = (name: string, timeoutMs: number) =>
      endOf(
        provider.execute(
          ({ signal }) => {
            signal.addEventListener('abort', () => fired.push([name, busbar.clock.now() - began]))
            return never()
          },
          { timeoutMs },
        ),
      )
    const calls = [limit('late', 5_001), limit('early', 9), limit('middle', 5_000), limit('also early', 9)]
    busbar.clock.advance(60_000)
    await Promise.all(calls)
    expect(fired).toEqual([
      ['early', 9],
      ['also early', 9],
      ['middle', 5_000],
      ['late', 5_001],
    ])
  })

  it('leave nothing behind when calls end in time', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai')
    for (let i = 0; i < 1_000; i += 1) await provider.execute(() => 1, { timeoutMs: 5_000 })
    await busbar.clock.advanceAsync(10_000)
    expect(await provider.history()).toMatchObject([{ status: 'healthy', count: 1_000 }])
  })

  it('write what may wait when its time has come, and a read comes after what was recorded', async () => {
    const fleet = createTestFleet()
    const [busbar, other] = [open({ fleet }), open({ fleet })]
    const [provider, seen] = [await busbar.provider('openai'), await other.provider('openai')]
    for (let i = 0; i < 5; i += 1) await provider.execute(() => 1)
    expect(await seen.historySize()).toBe(0)
    await fleet.clock.advanceAsync(100)
    expect(await seen.historySize()).toBe(5)
    await provider.recordSuccess()
    expect(await provider.historySize()).toBe(6)
  })

  it('do not take a leap of the clock for a Redis that was silent', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai', QUICK)
    await provider.recordFailure()
    busbar.clock.advance(1_000)
    const trial = provider.execute(() => 1)
    busbar.clock.advance(60_000)
    expect(await trial).toBe(1)
    expect(busbar.degradedSince).toBeUndefined()
    expect(await provider.state()).toBe('closed')
  })

  it('take a leap of a year in their stride', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai')
    await provider.trip({ forMs: 86_400_000 })
    busbar.clock.advance(365 * 86_400_000)
    expect(await provider.state()).toBe('half_open')
  })
})

describe('the fake timers of a test runner', () => {
  it('of vitest move the clock, fire the timers, and let promises run between', async () => {
    vi.useFakeTimers()
    const busbar = open()
    const provider = await busbar.provider('openai', QUICK)
    const call = endOf(provider.execute(never, { timeoutMs: 5_000 }))
    await vi.advanceTimersByTimeAsync(6_000)
    expect(await call).toBeInstanceOf(CallTimeoutError)
    expect(await endOf(provider.execute(() => 1))).toBe('1')
    await provider.recordFailure()
    await vi.advanceTimersByTimeAsync(999)
    expect(await endOf(provider.execute(() => 1))).toBeInstanceOf(CallRefusedError)
    vi.advanceTimersByTime(1)
    expect(await endOf(provider.execute(() => 1))).toBe('1')
  })

  it('of node:test do, where the date is faked', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
    const busbar = open()
    const provider = await busbar.provider('openai', QUICK)
    const call = endOf(provider.execute(never, { timeoutMs: 100 }))
    mock.timers.tick(99)
    expect(await provider.historySize()).toBe(0)
    mock.timers.tick(1)
    expect(await call).toBeInstanceOf(CallTimeoutError)
    mock.timers.tick(1_000)
    expect(await provider.state()).toBe('half_open')
  })

  it('without a clock of their own move it when a timer fires', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const busbar = open()
    const provider = await busbar.provider('openai')
    const began = busbar.clock.now()
    const call = endOf(provider.execute(never, { timeoutMs: 100 }))
    mock.timers.tick(100)
    expect(await call).toBeInstanceOf(CallTimeoutError)
    expect(busbar.clock.now()).toBe(began + 100)
  })

  it('may come after the busbar, go again, and leave the clock standing', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai', QUICK)
    const began = busbar.clock.now()
    vi.useFakeTimers()
    expect(busbar.clock.now()).toBe(began)
    vi.advanceTimersByTime(50)
    expect(busbar.clock.now()).toBe(began + 50)
    vi.useRealTimers()
    await new Promise(setImmediate)
    expect(busbar.clock.now()).toBe(began + 50)
    const call = endOf(provider.execute(never, { timeoutMs: 100 }))
    busbar.clock.advance(100)
    expect(await call).toBeInstanceOf(CallTimeoutError)
  })
})

describe('a test fleet', () => {
  it('has workers that see each other, each with the events of all', async () => {
    const fleet = createTestFleet()
    const [one, other] = [open({ fleet }), open({ fleet })]
    expect([one.workerId, other.workerId]).toEqual(['test', 'test-2'])
    const heard: string[] = []
    for (const busbar of [one, other]) {
      busbar.on('opened', ({ worker }) => heard.push(`${worker} heard of by ${busbar.workerId}`))
    }
    const [mine, theirs] = [await one.provider('openai', QUICK), await other.provider('openai')]
    await mine.recordFailure()
    expect(await endOf(theirs.execute(() => 1))).toBeInstanceOf(CallRefusedError)
    expect(heard).toEqual(['test heard of by test', 'test heard of by test-2'])
  })

  it('has one trial of all its workers', async () => {
    const fleet = createTestFleet()
    const [one, other] = [open({ fleet }), open({ fleet })]
    const [mine, theirs] = [await one.provider('openai', QUICK), await other.provider('openai')]
    await mine.recordFailure()
    fleet.clock.advance(1_000)
    const decisions = await Promise.all([mine.admit(), theirs.admit()])
    expect(decisions.map(({ admitted }) => admitted)).toEqual([true, false])
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'a clock that is none',
      () => open({ clock: { now: Date.now } as never }),
      /clock: expected one of createTestClock/,
    ],
    ['a fleet that is none', () => open({ fleet: {} as never }), /fleet: expected one of createTestFleet/],
    [
      'a clock beside a fleet',
      () => open({ fleet: createTestFleet(), clock: createTestClock() }),
      /either fleet or clock/,
    ],
    ['onRedisDown that is none', () => open({ onRedisDown: 'panic' as never }), /onRedisDown: .*"panic"/],
    ['a worker id that is none', () => open({ workerId: 'a b' }), /workerId: .*"a b"/],
    ['an option of a fleet that is none', () => createTestFleet({ colck: 1 } as never), /colck/],
    ['a reason that is none', () => open().redis.down(5 as never), /reason: expected text, got 5/],
  ])('refuses %s', (_, wrong, words) => {
    expect(wrong).toThrow(words)
  })
})

describe('the Redis of a test busbar', () => {
  const lostAndFound = (busbar: TestBusbar) => {
    const heard: unknown[] = []
    busbar.on('store_lost', (event) => heard.push(event))
    busbar.on('store_restored', (event) => heard.push(event))
    return heard
  }

  it('goes down and comes up: the events, calls by onRedisDown, and outcomes kept for the history', async () => {
    const busbar = open()
    const heard = lostAndFound(busbar)
    const provider = await busbar.provider('openai')
    const began = busbar.clock.now()
    busbar.redis.down('pulled the plug')
    expect(heard).toEqual([{ kind: 'store_lost', reason: 'pulled the plug', outageMs: 0, at: began }])
    expect(busbar.degradedSince).toBe(began)
    expect(await provider.admit()).toMatchObject({ admitted: true, source: 'fallback' })
    expect(await endOf(provider.snapshot())).toMatchObject({
      code: 'redis_unavailable',
      failure: 'unanswered',
    })
    for (let i = 0; i < 3; i += 1) await provider.record('unhealthy')
    expect(await endOf(provider.execute(() => 1))).toMatchObject({ code: 'circuit_open' })
    await busbar.clock.advanceAsync(12_345)
    await busbar.redis.up()
    const restored = { kind: 'store_restored', reason: '', outageMs: 12_345, at: began + 12_345 }
    expect(heard.slice(1)).toEqual([restored])
    expect(await provider.snapshot()).toMatchObject({ state: 'closed', historyTotal: 3 })
    expect(await provider.execute(() => 1)).toBe(1)
    expect(busbar.counters.outcomesLost).toBe(0)
  })

  it.each([
    ['deny', { code: 'redis_down' }],
    ['allow', '1'],
  ] as const)('is decided without by onRedisDown: %s', async (onRedisDown, expected) => {
    const busbar = open({ onRedisDown })
    const provider = await busbar.provider('openai')
    busbar.redis.down()
    const end = await endOf(provider.execute(() => 1))
    if (typeof expected === 'string') expect(end).toBe(expected)
    else expect(end).toMatchObject(expected)
  })

  it('may refuse writes alone', async () => {
    const busbar = open()
    const heard = lostAndFound(busbar)
    const provider = await busbar.provider('openai', QUICK)
    busbar.redis.refuseWrites()
    await provider.recordFailure()
    expect(await endOf(provider.execute(() => 1))).toMatchObject({ code: 'circuit_open' })
    await busbar.clock.advanceAsync(60_000)
    expect(heard).toMatchObject([{ kind: 'store_lost' }])
    await busbar.redis.up()
    expect(heard).toMatchObject([{ kind: 'store_lost' }, { kind: 'store_restored' }])
  })

  it('goes down for one worker, or for all, also for those that join later', async () => {
    const fleet = createTestFleet()
    const [one, other] = [open({ fleet }), open({ fleet })]
    const [mine, theirs] = [await one.provider('openai', QUICK), await other.provider('openai')]
    one.redis.down()
    await theirs.trip()
    expect(mine.peek()).toMatchObject({ state: 'closed', source: 'fallback' })
    expect(theirs.peek()).toMatchObject({ state: 'open', source: 'cache' })
    await one.redis.up()
    expect(mine.peek()).toMatchObject({ state: 'open', source: 'cache' })
    fleet.redis.down()
    const late = open({ fleet })
    const joined = await late.provider('openai')
    expect([one, other, late].map(({ degradedSince }) => degradedSince)).toEqual(
      Array(3).fill(fleet.clock.now()),
    )
    await fleet.redis.up()
    expect(joined.peek()).toMatchObject({ state: 'open', source: 'cache' })
  })

  it('that is down holds up no close', async () => {
    const busbar = open()
    const provider = await busbar.provider('openai')
    void endOf(provider.execute(never))
    busbar.redis.down()
    await provider.recordSuccess()
    await busbar.close()
    await expect.poll(() => busbar.counters.outcomesLost).toBe(1)
  })
})

describe('the probes of a test busbar', () => {
  const probe = { kind: 'function' as const, name: 'check', intervalMs: 10_000, timeoutMs: 2_000 }
  const probing = async (check: ProbeFunction, options: TestBusbarOptions = {}, breaker = {}) => {
    const busbar = open(options)
    const provider = await busbar.provider('openai', { probe, breaker })
    await busbar.startProbes({ functions: { check } })
    return { busbar, provider, clock: busbar.clock }
  }

  it('run when their interval is over, on the test clock, and are recorded', async () => {
    const check = vi.fn<ProbeFunction>(() => 'healthy')
    const { provider, clock } = await probing(check)
    await clock.advanceAsync(9_999)
    expect(check).not.toHaveBeenCalled()
    await clock.advanceAsync(1)
    expect(check).toHaveBeenCalledOnce()
    expect(await provider.snapshot()).toMatchObject({ lastProbeStatus: 'healthy', lastProbeAt: clock.now() })
    await clock.advanceAsync(60_000)
    expect(check).toHaveBeenCalledTimes(7)
  })

  it('open the circuit, and close it when its cooldown is over', async () => {
    let well = false
    const { provider, clock } = await probing(() => well, {}, { failureThreshold: 2, cooldownMs: 3_000 })
    await clock.advanceAsync(20_000)
    expect(await provider.state()).toBe('open')
    well = true
    await clock.advanceAsync(3_000)
    expect(await provider.state()).toBe('closed')
  })

  it('that do not end are timeouts, on the test clock', async () => {
    const { provider, clock } = await probing(never)
    await clock.advanceAsync(12_000)
    expect(await provider.snapshot()).toMatchObject({
      lastProbeStatus: 'timeout',
      lastProbeDetail: 'the function check did not end within 2000 ms',
    })
  })

  it('run once in an interval, however many workers of the fleet probe', async () => {
    const check = vi.fn<ProbeFunction>(() => true)
    const fleet = createTestFleet()
    await probing(check, { fleet })
    await probing(check, { fleet })
    await fleet.clock.advanceAsync(50_000)
    expect(check).toHaveBeenCalledTimes(5)
  })

  it('end with a mark that ends them, begin again after it, and stop when the worker is closed', async () => {
    const check = vi.fn<ProbeFunction>(() => true)
    const { busbar, provider, clock } = await probing(check)
    await provider.markUnhealthy({ forMs: 60_000 })
    await clock.advanceAsync(60_000)
    expect(check).not.toHaveBeenCalled()
    await clock.advanceAsync(10_001)
    expect(check).toHaveBeenCalledOnce()
    await busbar.close()
    await clock.advanceAsync(60_000)
    expect(check).toHaveBeenCalledOnce()
  })

  it('are announced as overdue where no worker has the function', async () => {
    const busbar = open()
    const overdue = vi.fn()
    busbar.on('probe_overdue', overdue)
    await busbar.provider('openai', { probe })
    await busbar.startProbes()
    await busbar.clock.advanceAsync(60_000)
    expect(overdue).toHaveBeenCalledOnce()
    expect(busbar.counters.probesDiscarded).toBeGreaterThan(0)
  })

  it('can be asked for at once: what needs code, where that code was registered', async () => {
    const { busbar } = await probing(() => ({ status: 'degraded', detail: 'slow disk' }))
    expect(await busbar.probe('openai')).toMatchObject({
      probed: true,
      status: 'degraded',
      detail: 'slow disk',
    })
    const other = open({ fleet: busbar.fleet })
    expect(await other.probe('openai')).toMatchObject({ probed: false, code: 'kind_elsewhere' })
  })
})
