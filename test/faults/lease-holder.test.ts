import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { testFleet } from '../harness/fleet.js'
import { besideMachine } from '../harness/machine.js'
import { caller, kindsOf, openCircuit, trafficWorker } from './workers.js'

const LEASE_MS = 2_000
/** What a trial takes: the call itself, the pause before it, and a machine that is busy with other tests. */
const TRIAL_MS = 20
const SLACK_MS = 1_000

test('a killed holder of the trial delays recovery by its lease at most, whoever else asks', async () => {
  const fleet = await testFleet()
  const settings = { breaker: { cooldownMs: 50, trialLeaseMs: LEASE_MS } }
  const options = { settings, clockDouble: false }
  const holder = await caller(fleet, options)
  const extra = { callMs: TRIAL_MS, pauseMs: 2 }
  const others = await Promise.all([1, 2, 3].map(() => trafficWorker(fleet, { ...options, extra })))
  await holder.ask('fail', 3)
  await eventually(async () => (await holder.ask('admit', 'trial')).admitted, 'the trial begins')
  const trials = `${fleet.namespace}:{openai}:trials`
  const [token, deadline = ''] = await fleet.redis.zrange(trials, 0, -1, 'WITHSCORES')
  await Promise.all(others.map((other) => other.ask('start')))
  const seen = () => Promise.all(others.map((other) => other.ask('seen')))
  const refused = async () => sum((await seen()).map((one) => one.refused.no_trial_free ?? 0))
  const before = await refused()
  await holder.kill()
  const leftMs = Number(deadline) - (await redisMs(fleet.redis))
  await eventually(async () => (await refused()) >= before + 50, 'refusals go on')
  // So often refused, and nothing was renewed: the same lease, until the same moment.
  const held = await fleet.redis.zrange(trials, 0, -1, 'WITHSCORES')
  if (held[0] === token) expect(held).toEqual([token, deadline])

  const { lostMs } = await besideMachine(() =>
    eventually(async () => (await others[0]?.ask('peek'))?.state === 'closed', 'the circuit closes'),
  )
  const ended = await Promise.all(others.map((other) => other.ask('stop')))
  const busbar = await fleet.connect()
  const events = await (await busbar.provider('openai')).events()
  const closed = events.find((event) => event.kind === 'closed')
  const lateMs = (closed?.at ?? 0) - Number(deadline)
  figure(
    3,
    `holder killed with ${leftMs} ms of its lease left; closed ${lateMs} ms after the lease's end, ` +
      `by ${sum(ended.map((one) => one.trials))} trial, ` +
      `${sum(ended.map((one) => one.refused.no_trial_free ?? 0))} callers refused meanwhile`,
  )
  expect(kindsOf(events)).toEqual(['registered', 'opened', 'half_opened', 'closed'])
  expect(lateMs).toBeGreaterThanOrEqual(0)
  expect(lateMs).toBeLessThan(TRIAL_MS + SLACK_MS + lostMs)
  expect(sum(ended.map((one) => one.trials))).toBe(1)
  expect(sum(ended.map((one) => one.overlappingTrials))).toBe(0)
  expect(ended.map((one) => one.errors)).toEqual([{}, {}, {}])
})

test('a call that outlasts its lease still closes the circuit', async () => {
  const fleet = await testFleet()
  const settings = { breaker: { cooldownMs: 1_000, trialLeaseMs: 2_000 } }
  const slow = await caller(fleet, { settings })
  const other = await caller(fleet, { settings })
  await slow.ask('fail', 3)
  await fleet.clock.advance(1_000)
  expect(await slow.ask('admit', 'slow')).toMatchObject({ admitted: true, trial: true })
  await fleet.clock.advance(1_999)
  expect(await other.ask('admit', 'refused')).toMatchObject({
    admitted: false,
    code: 'no_trial_free',
    retryAfterMs: 1,
  })
  await fleet.clock.advance(60_000)
  await slow.ask('settle', 'slow', 'healthy')
  expect(await other.ask('snapshot')).toMatchObject({ state: 'closed', consecutiveFailures: 0, trials: 0 })
})

test('of two trials, the second begun when the first lost its lease, the first to end decides', async () => {
  const fleet = await testFleet()
  const settings = { breaker: { cooldownMs: 1_000, trialLeaseMs: 2_000 } }
  const slow = await caller(fleet, { settings })
  const other = await caller(fleet, { settings })
  await slow.ask('fail', 3)
  await fleet.clock.advance(1_000)
  await slow.ask('admit', 'first')
  await fleet.clock.advance(2_000)
  expect(await other.ask('admit', 'second')).toMatchObject({ admitted: true, trial: true })
  await slow.ask('settle', 'first', 'healthy')
  await other.ask('settle', 'second', 'unhealthy')
  expect(await slow.ask('snapshot')).toMatchObject({
    state: 'closed',
    consecutiveFailures: 0,
    historyTotal: 5,
  })
})

test('the lease of a call with a timeout lasts that long and a second', async () => {
  const fleet = await testFleet()
  const busbar = await fleet.connect()
  const provider = await busbar.provider('openai', { breaker: { cooldownMs: 1_000, trialLeaseMs: 2_000 } })
  await openCircuit(provider)
  await fleet.clock.advance(1_000)
  const leases = () => fleet.redis.zrange(`${fleet.namespace}:{openai}:trials`, 0, -1, 'WITHSCORES')
  const [, deadline] = await provider.execute(leases, { timeoutMs: 10_000 })
  expect(Number(deadline)).toBe(fleet.clock.nowMs + 11_000)
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

async function redisMs(redis: { time(): Promise<(number | string)[]> }): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}
