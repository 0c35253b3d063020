import { expect, test } from 'vitest'
import type { Provider } from '../../src/index.js'
import { figure } from '../harness/figure.js'
import { testFleet, type Fleet } from '../harness/fleet.js'
import { openCircuit } from './workers.js'

/** Every deadline there is, each of another length; all are over after the longest. */
const COOLDOWN_MS = 1_000
const LEASE_MS = 2_000
const THROTTLE_MS = 4_000
const WINDOW_MS = 8_000
const HOUR_MS = 3_600_000
const STEPS_MS = [COOLDOWN_MS, LEASE_MS, THROTTLE_MS, WINDOW_MS, HOUR_MS, 24 * HOUR_MS]
const settings = {
  breaker: { cooldownMs: COOLDOWN_MS, trialLeaseMs: LEASE_MS },
  history: { windowMs: WINDOW_MS },
}

async function start(): Promise<{ fleet: Fleet; provider: Provider }> {
  const fleet = await testFleet()
  const busbar = await fleet.connect({ commandTimeoutMs: 60_000 })
  return { fleet, provider: await busbar.provider('openai', settings) }
}

/** To the end of each deadline, and one ms more; at each, everything that could clean up has a chance to. */
async function outlive(fleet: Fleet, provider: Provider, expectation: () => Promise<void>): Promise<void> {
  for (const ms of STEPS_MS.flatMap((step) => [step - 1, 1, 1])) {
    await fleet.clock.advance(ms)
    await provider.admit()
    await provider.record('healthy')
    await provider.record('unhealthy')
    await expectation()
  }
}

test.each(['unhealthy', 'terminated'] as const)(
  'a mark %s outlives the cooldown, the lease, the pause and the window',
  async (mark) => {
    const { fleet, provider } = await start()
    await openCircuit(provider)
    await fleet.clock.advance(COOLDOWN_MS)
    expect(await provider.admit()).toMatchObject({ admitted: true, permit: { trial: true } })
    await provider.record('throttled', { retryAfterMs: THROTTLE_MS })
    const said = { reason: 'contract ended', actor: 'ops' }
    await (mark === 'unhealthy' ? provider.markUnhealthy(said) : provider.markTerminated(said))
    await outlive(fleet, provider, async () => {
      expect(await provider.admit()).toMatchObject({
        admitted: false,
        code: `marked_${mark}`,
        retryAfterMs: null,
      })
    })
    await provider.reset()
    await provider.trip({ forMs: 1 })
    await fleet.clock.advance(1)
    expect(await provider.snapshot()).toMatchObject({ mark, markReason: 'contract ended', health: mark })
    figure(14, `mark ${mark} held through ${STEPS_MS.length} deadlines, a reset and a trip`)
  },
)

test('a mark with an end lasts until then, to the millisecond, and ends once', async () => {
  const { fleet, provider } = await start()
  await provider.markUnhealthy({ reason: 'maintenance', forMs: HOUR_MS })
  await openCircuit(provider)
  await provider.record('throttled', { retryAfterMs: THROTTLE_MS })
  await fleet.clock.advance(HOUR_MS - 1)
  expect(await provider.snapshot()).toMatchObject({ mark: 'unhealthy', markForMs: 1 })
  await fleet.clock.advance(1)
  expect(await provider.snapshot()).toMatchObject({ mark: null, markReason: '', state: 'half_open' })
  await provider.admit()
  await provider.admit()
  const resumed = (await provider.events()).filter((event) => event.kind === 'resumed')
  expect(resumed).toMatchObject([{ reason: 'the mark ended', from: 'unhealthy', at: fleet.clock.nowMs }])
})

test('a trip without an end outlives the cooldown, the lease, the pause, the window and a mark', async () => {
  const { fleet, provider } = await start()
  await openCircuit(provider)
  await fleet.clock.advance(COOLDOWN_MS)
  expect(await provider.admit()).toMatchObject({ admitted: true, permit: { trial: true } })
  await provider.record('throttled', { retryAfterMs: THROTTLE_MS })
  await provider.markDegraded({ forMs: WINDOW_MS })
  await provider.trip({ reason: 'by hand', actor: 'ops' })
  await outlive(fleet, provider, async () => {
    expect(await provider.admit()).toMatchObject({
      admitted: false,
      code: 'circuit_open',
      retryAfterMs: null,
    })
  })
  await provider.resume()
  expect(await provider.snapshot()).toMatchObject({
    state: 'open',
    reason: 'by hand',
    retryAfterMs: null,
    mark: null,
  })
  figure(14, `a trip without an end held through ${STEPS_MS.length} deadlines and a mark`)
})

test('a trip with an end replaces the cooldown, be it shorter or longer', async () => {
  const { fleet, provider } = await start()
  await openCircuit(provider)
  await provider.trip({ forMs: HOUR_MS })
  await fleet.clock.advance(HOUR_MS - 1)
  expect(await provider.admit()).toMatchObject({ admitted: false, code: 'circuit_open', retryAfterMs: 1 })
  await provider.trip({ forMs: 10 })
  await fleet.clock.advance(9)
  expect(await provider.state()).toBe('open')
  await fleet.clock.advance(1)
  expect(await provider.admit()).toMatchObject({ admitted: true, permit: { trial: true } })
})

test('a pause outlives a shorter one that comes later, and the closing of the circuit', async () => {
  const { fleet, provider } = await start()
  await provider.record('throttled', { retryAfterMs: THROTTLE_MS })
  await fleet.clock.advance(1_000)
  await provider.record('throttled', { retryAfterMs: 1_000 })
  await openCircuit(provider)
  await fleet.clock.advance(COOLDOWN_MS)
  await provider.record('healthy')
  expect(await provider.state()).toBe('closed')
  expect(await provider.admit()).toMatchObject({ admitted: false, code: 'throttled', retryAfterMs: 2_000 })
  await fleet.clock.advance(1_999)
  expect(await provider.shouldAllow()).toBe(false)
  await fleet.clock.advance(1)
  expect(await provider.admit()).toMatchObject({ admitted: true })
})
