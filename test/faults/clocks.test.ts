import { expect, test } from 'vitest'
import type { Outcome, Permit, Provider } from '../../src/index.js'
import { START_MS } from '../harness/clock.js'
import { figure } from '../harness/figure.js'
import { testFleet, type Fleet } from '../harness/fleet.js'
import { caller, decided, openCircuit } from './workers.js'

const HOUR_MS = 3_600_000
const settings = { breaker: { cooldownMs: 30_000, trialLeaseMs: 10_000 } }

const httpDate = (ms: number): string => new Date(START_MS + ms).toUTCString()

/** All that a clock could spoil: a cooldown, a lease, a pause until a date, a mark with an end, a trip with an end. */
async function transcript(offsMs: readonly [number, number]): Promise<unknown[]> {
  const fleet = await testFleet()
  const preload = new URL('../harness/workers/clock-off.mjs', import.meta.url).href
  const start = (offMs: number, workerId: string) =>
    caller(fleet, {
      settings,
      options: { commandTimeoutMs: 60_000, workerId },
      execArgv: ['--import', preload],
      env: { BUSBAR_TEST_CLOCK_OFF_MS: `${offMs}` },
    })
  const a = await start(offsMs[0], 'a')
  const b = await start(offsMs[1], 'b')
  const seen: unknown[] = []
  const look = async (ms: number) => {
    await fleet.clock.advance(ms)
    seen.push(decided(await a.ask('snapshot')), decided(await b.ask('snapshot')))
  }
  await a.ask('fail', 3)
  await look(29_999)
  seen.push(await b.ask('admit', 'early'))
  await look(1)
  seen.push(await b.ask('admit', 'trial'), await a.ask('admit', 'refused'))
  await look(10_000)
  seen.push(await a.ask('admit', 'next trial'))
  await a.ask('settle', 'next trial', 'healthy')
  // Both are the provider's own clock's, so ours does not come into it.
  await b.ask('answer', 429, { date: httpDate(0), 'retry-after': httpDate(5_000) })
  await look(4_999)
  await a.ask('control', 'markUnhealthy', { reason: 'maintenance', forMs: 60_000 })
  await look(59_999)
  await look(1)
  await b.ask('control', 'trip', { reason: 'by hand', forMs: 2_000 })
  await look(1_999)
  await look(1)
  const provider = await (await fleet.connect({ consistency: 'strict' })).provider('openai')
  const { historyTotal, applied } = await provider.snapshot()
  return [...seen, historyTotal, applied, ...(await provider.events())]
}

test('a worker whose clock is an hour off, either way, changes nothing', async () => {
  const right = await transcript([0, 0])
  const oneWay = await transcript([HOUR_MS, -HOUR_MS])
  const otherWay = await transcript([-HOUR_MS, HOUR_MS])
  expect(oneWay).toEqual(right)
  expect(otherWay).toEqual(right)
  figure(11, `6 processes, 4 of them an hour off: ${right.length} observations each time, all the same`)
})

/** One call, as an impatient caller makes it once a second while it waits. */
async function patience(fleet: Fleet, provider: Provider, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    expect(await provider.admit()).toMatchObject({ admitted: false })
    await fleet.clock.advance(Math.min(1_000, left))
  }
}

async function fleetOfOne(): Promise<{ fleet: Fleet; provider: Provider }> {
  const fleet = await testFleet()
  const busbar = await fleet.connect({ consistency: 'strict', commandTimeoutMs: 60_000 })
  return { fleet, provider: await busbar.provider('openai', settings) }
}

test('a process for which less time passed than for Redis is told so, and its outcomes count', async () => {
  const fleet = await testFleet()
  // It named a moment that is long over, as after sleep; the clock of Redis went on meanwhile.
  const slept = await caller(fleet, { settings: { breaker: { failureThreshold: 2 } } })
  await fleet.clock.advance(HOUR_MS)
  await slept.ask('record', 'unhealthy')
  const provider = await (await fleet.connect()).provider('openai')
  expect(await provider.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 1, applied: 1 })
  await fleet.clock.advance(HOUR_MS)
  await slept.ask('record', 'unhealthy')
  expect(await provider.snapshot()).toMatchObject({ state: 'open', applied: 2 })
})

test("an open circuit ends on time although Redis's clock steps back an hour in the middle", async () => {
  const { fleet, provider } = await fleetOfOne()
  await openCircuit(provider)
  await patience(fleet, provider, 20_000)
  const before = await provider.snapshot()
  await fleet.clock.advance(-HOUR_MS)
  // Whoever asks next finds out. Of the time since the last write, which nobody knows, at most a second is lost.
  expect(await provider.admit()).toMatchObject({ admitted: false, code: 'circuit_open' })
  const after = await provider.snapshot()
  expect(after.at).toBeGreaterThanOrEqual(before.at - 1_000)
  await patience(fleet, provider, 10_000)
  let lateMs = 0
  for (; (await provider.state()) === 'open' && lateMs <= 30_000; lateMs += 100)
    await fleet.clock.advance(100)
  const trial = await provider.admit()
  figure(11, `Redis's clock an hour back 20 s into a cooldown of 30 s: half-open ${lateMs} ms late`)
  expect(lateMs).toBeLessThanOrEqual(1_000)
  expect(trial).toMatchObject({ admitted: true, permit: { trial: true } })
})

test('no number and no time of an event goes back with the clock', async () => {
  const { fleet, provider } = await fleetOfOne()
  const seen: { generation: number; version: number; at: number }[] = []
  const look = async () => seen.push(await provider.snapshot())
  for (const stepMs of [-HOUR_MS, 5_000, -1, -HOUR_MS, 2 * HOUR_MS, -3 * HOUR_MS]) {
    await openCircuit(provider)
    await look()
    await fleet.clock.advance(stepMs)
    await look()
    await provider.reset()
    await look()
  }
  const events = await provider.events()
  for (const list of [seen, events]) {
    for (const field of ['generation', 'version', 'at'] as const) {
      const values = list.map((one) => one[field])
      expect(values, field).toEqual([...values].sort((a, b) => a - b))
    }
  }
  const generations = events.filter((event) => event.kind !== 'registered').map((event) => event.generation)
  expect(new Set(generations).size).toBe(generations.length)
})

test("leases, pauses and marks end too after Redis's clock stepped back", async () => {
  const { fleet, provider } = await fleetOfOne()
  await openCircuit(provider)
  await fleet.clock.advance(30_000)
  await permitOf(provider)
  await provider.markUnhealthy({ forMs: 8_000 })
  await provider.record('throttled', { retryAfterMs: 8_000 })
  await fleet.clock.advance(-HOUR_MS)
  expect(await provider.admit()).toMatchObject({
    admitted: false,
    code: 'marked_unhealthy',
    retryAfterMs: 8_000,
  })
  await fleet.clock.advance(8_000)
  expect(await provider.admit()).toMatchObject({
    admitted: false,
    code: 'no_trial_free',
    retryAfterMs: 1_000,
  })
  expect(await provider.snapshot()).toMatchObject({ trialFreeInMs: 2_000 })
  await fleet.clock.advance(2_000)
  const permit = await permitOf(provider)
  await permit.settle('healthy' satisfies Outcome)
  expect(await provider.state()).toBe('closed')
})

async function permitOf(provider: Provider): Promise<Permit> {
  const decision = await provider.admit()
  if (!decision.admitted) throw new Error(`refused: ${decision.reason}`)
  return decision.permit
}
