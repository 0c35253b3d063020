import { getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { providerCoreOf } from '../../src/client/provider.js'
import type { Provider } from '../../src/index.js'
import { createTestBusbar, createTestFleet } from '../../src/testing.js'
import type { TestBusbar, TestBusbarOptions } from '../../src/testing.js'

const QUICK = { breaker: { failureThreshold: 1, cooldownMs: 1_000 } }

interface Opened {
  readonly busbar: TestBusbar
  readonly provider: Provider
}

async function open(options: TestBusbarOptions = {}, settings: object = QUICK): Promise<Opened> {
  const busbar = createTestBusbar(options)
  onTestFinished(() => busbar.close())
  return { busbar, provider: await busbar.provider('openai', settings) }
}

/** What has become of a promise, once all that is under way has been settled. */
function watched(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'waits' }
  promise.then(
    () => (seen.state = 'ready'),
    (error: unknown) =>
      (seen.state = error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
  return seen
}

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve()
}

/** What a wait leaves behind: nothing. */
function leftBehind(provider: Provider): unknown {
  const { session } = providerCoreOf(provider)
  return session.cache.onChange
}

describe('ready', () => {
  it('resolves at once while the circuit is closed, and when the cooldown is over, not before', async () => {
    const { busbar, provider } = await open()
    await provider.ready()
    await provider.recordFailure()
    const wait = watched(provider.ready())
    await busbar.clock.advanceAsync(999)
    expect(wait.state).toBe('waits')
    await busbar.clock.advanceAsync(1)
    expect(wait.state).toBe('ready')
    expect(leftBehind(provider)).toBeUndefined()
  })

  it('lets one waiter at a time through in half-open, the next after 1 s', async () => {
    const { busbar, provider } = await open()
    await provider.recordFailure()
    const waits = [1, 2, 3].map(() => watched(provider.ready()))
    const ready = () => waits.filter(({ state }) => state === 'ready').length
    await busbar.clock.advanceAsync(1_000)
    expect(ready()).toBe(1)
    expect(watched(provider.ready())).toEqual({ state: 'waits' })
    await busbar.clock.advanceAsync(999)
    expect(ready()).toBe(1)
    await busbar.clock.advanceAsync(1)
    expect(ready()).toBe(2)
  })

  it('lets the others through when the trial has closed the circuit, and nobody while it is under way', async () => {
    const { busbar, provider } = await open()
    await provider.recordFailure()
    const waits = [1, 2, 3].map(() => watched(provider.ready()))
    await busbar.clock.advanceAsync(1_000)
    const decision = await provider.admit()
    await busbar.clock.advanceAsync(10_000)
    expect(waits.map(({ state }) => state)).toEqual(['ready', 'waits', 'waits'])
    if (decision.admitted) await decision.permit.settle('healthy')
    await settled()
    expect(waits.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
    expect(leftBehind(provider)).toBeUndefined()
  })

  it('follows what another process does', async () => {
    const fleet = createTestFleet()
    const [{ provider }, { provider: other }] = [await open({ fleet }), await open({ fleet })]
    await other.trip()
    const wait = watched(provider.ready())
    await fleet.clock.advanceAsync(3_600_000)
    expect(wait.state).toBe('waits')
    await other.reset()
    await settled()
    expect(wait.state).toBe('ready')
  })

  it('waits for the end of a mark and of a pause', async () => {
    const { busbar, provider } = await open()
    await provider.markUnhealthy({ forMs: 5_000 })
    await provider.record('throttled', { retryAfterMs: 7_000 })
    const wait = watched(provider.ready())
    await busbar.clock.advanceAsync(6_999)
    expect(wait.state).toBe('waits')
    await busbar.clock.advanceAsync(1)
    expect(wait.state).toBe('ready')
  })

  it('says that the provider was removed, that the busbar was closed, and why its caller gave up', async () => {
    const { busbar, provider } = await open()
    await provider.trip()
    const giveUp = new AbortController()
    const aborted = watched(provider.ready({ signal: giveUp.signal }))
    const closedLater = await open()
    await closedLater.provider.trip()
    const [removed, closed] = [watched(provider.ready()), watched(closedLater.provider.ready())]
    giveUp.abort('enough')
    await settled()
    expect([aborted.state, removed.state, closed.state]).toEqual(['enough', 'waits', 'waits'])
    expect(getEventListeners(giveUp.signal, 'abort')).toEqual([])
    await busbar.remove('openai')
    await closedLater.busbar.close()
    await settled()
    expect([removed.state, closed.state]).toEqual(['provider_removed', 'busbar_closed'])
    expect([leftBehind(provider), leftBehind(closedLater.provider)]).toEqual([undefined, undefined])
    await expect(provider.ready()).rejects.toMatchObject({ code: 'provider_removed' })
    await expect(provider.ready({ signal: giveUp.signal })).rejects.toBe('enough')
  })

  it('leaves no listener on a signal that many waits share', async () => {
    const { provider } = await open()
    const { signal } = new AbortController()
    await provider.trip()
    const waits = Array.from({ length: 100 }, () => watched(provider.ready({ signal })))
    await settled()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await provider.reset()
    await settled()
    expect(waits.filter(({ state }) => state === 'ready')).toHaveLength(100)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.each([
    ['local', 'waits', 'ready'],
    ['allow', 'ready', 'ready'],
    ['deny', 'waits', 'waits'],
  ] as const)('without Redis follows onRedisDown: %s', async (onRedisDown, inOpen, afterCooldown) => {
    const { busbar, provider } = await open({ onRedisDown })
    await provider.recordFailure()
    busbar.redis.down()
    const wait = watched(provider.ready())
    await settled()
    expect(wait.state).toBe(inOpen)
    // Locally a trial comes up to a cooldown later.
    await busbar.clock.advanceAsync(3_000)
    expect(wait.state).toBe(afterCooldown)
    await busbar.redis.up()
    await busbar.clock.advanceAsync(1_000)
    expect(wait.state).toBe('ready')
  })

  it('refuses options that make no sense', async () => {
    const { provider } = await open()
    // @ts-expect-error: no such option
    await expect(provider.ready({ signl: 1 })).rejects.toThrow(
      'signl: unknown option of ready (known: signal)',
    )
    // @ts-expect-error: no signal
    await expect(provider.ready({ signal: 7 })).rejects.toThrow('signal: expected an AbortSignal, got 7')
  })
})

it('refuses a signal that is none, wherever one is taken', async () => {
  const { busbar, provider } = await open()
  const signal: never = 7 as never // wrong on purpose
  const message = 'signal: expected an AbortSignal, got 7'
  await expect(provider.execute(() => 1, { signal })).rejects.toThrow(message)
  await expect(busbar.group('g').execute(() => 1, { signal })).rejects.toThrow(message)
  expect(
    await busbar
      .group('g')
      .execute(() => 1, null as never)
      .catch((error: unknown) => error),
  ).toMatchObject({ code: 'group_exhausted' })
  expect(() => busbar.on('*', () => undefined, { signal })).toThrow(message)
})
