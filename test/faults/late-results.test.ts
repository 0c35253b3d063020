import { expect, test } from 'vitest'
import { CIRCUIT_STATES, isHealthStatus, OUTCOMES, type CircuitState } from '../../src/model/words.js'
import { figure } from '../harness/figure.js'
import { testFleet } from '../harness/fleet.js'
import { caller, decided, privateRedis, type CallerActions, type PrivateRedis } from './workers.js'
import type { Worker } from '../harness/workers/fork.mjs'

const COOLDOWN_MS = 30_000
const settings = { breaker: { cooldownMs: COOLDOWN_MS, successThreshold: 2 } }

test('a result of an earlier generation changes the history and nothing else, in every state', async () => {
  const fleet = await testFleet()
  const late = await caller(fleet, { settings, options: { commandTimeoutMs: 60_000 } })
  const other = await caller(fleet, { settings, options: { commandTimeoutMs: 60_000 } })
  let settled = 0
  for (const state of CIRCUIT_STATES) {
    for (const outcome of OUTCOMES) {
      await other.ask('control', 'reset')
      expect(await late.ask('admit', 'late')).toMatchObject({ admitted: true })
      await bring(other, state, () => fleet.clock.advance(COOLDOWN_MS))
      const before = await other.ask('snapshot')
      expect(before.state).toBe(state)
      expect(await late.ask('settle', 'late', outcome, { retryAfterMs: 5_000 })).toEqual({ applied: true })
      const after = await other.ask('snapshot')
      expect(decided(after), `${outcome} in ${state}`).toEqual(decided(before))
      const lasting = isHealthStatus(outcome) ? 1 : 0
      expect(after.historyTotal - before.historyTotal).toBe(lasting)
      expect(after.applied - before.applied).toBe(1)
      settled += 1
    }
  }
  figure(4, `${settled} late results (${OUTCOMES.length} outcomes, 3 states), 0 changed the circuit`)
})

test('a trial that was overtaken by another half-open decides nothing in it', async () => {
  const fleet = await testFleet()
  const options = { settings, options: { commandTimeoutMs: 60_000 } }
  const late = await caller(fleet, options)
  const other = await caller(fleet, options)
  for (const outcome of ['healthy', 'unhealthy'] as const) {
    await other.ask('control', 'reset')
    await other.ask('fail', 3)
    await fleet.clock.advance(COOLDOWN_MS)
    expect(await late.ask('admit', 'old trial')).toMatchObject({ trial: true })
    await other.ask('control', 'trip', { forMs: 1_000 })
    await fleet.clock.advance(1_000)
    expect(await other.ask('admit', 'new trial')).toMatchObject({ trial: true })
    const before = await other.ask('snapshot')
    await late.ask('settle', 'old trial', outcome)
    const after = await other.ask('snapshot')
    expect(decided(after)).toEqual(decided(before))
    expect(after).toMatchObject({ state: 'half_open', trials: 1, consecutiveSuccesses: 0 })
  }
})

test('across a wipe of Redis an open circuit stays open, and results from before it decide nothing', async () => {
  const server = await privateRedis()
  const options = { settings, options: { commandTimeoutMs: 60_000 } }
  const late = await caller(server, options)
  const other = await caller(server, options)
  let wipes = 0
  for (const outcome of ['healthy', 'unhealthy'] as const) {
    await other.ask('control', 'reset')
    await late.ask('admit', 'late')
    await other.ask('fail', 3)
    const before = await other.ask('snapshot')
    await server.wipe()
    wipes += 1
    // Whoever comes first registers again, bringing what it knew; the others find it there.
    const [refusal, fromLate] = await Promise.all([other.ask('admit', 'no'), late.ask('admit', 'no')])
    expect(refusal).toMatchObject({ admitted: false, code: 'circuit_open' })
    expect(fromLate).toMatchObject({ admitted: false, code: 'circuit_open' })
    const restored = await other.ask('snapshot')
    expect(restored).toMatchObject({ state: 'open', reason: before.reason, cooldownMs: COOLDOWN_MS })
    expect(restored.retryAfterMs).toBeGreaterThan(COOLDOWN_MS - 5_000)
    expect(restored.retryAfterMs).toBeLessThanOrEqual(COOLDOWN_MS)
    expect(restored.generation).toBeGreaterThan(before.generation)

    await late.ask('settle', 'late', outcome)
    const after = await other.ask('snapshot')
    expect(decided(after)).toEqual(decided(restored))
    expect(after).toMatchObject({ historyTotal: 1, consecutiveFailures: 0 })
    expect(await eventKinds(server)).toEqual(['registered'])
  }
  figure(
    4,
    `${wipes} wipes of Redis with live handles: the circuit stayed open, late results decided nothing`,
  )
})

test('across a wipe a trip without an end, a mark and a pause still hold', async () => {
  const server = await privateRedis()
  const first = await caller(server, { settings })
  await first.ask('record', 'throttled', { retryAfterMs: 20_000 })
  await first.ask('control', 'markTerminated', { reason: 'contract ended', actor: 'ops' })
  await first.ask('control', 'trip', { reason: 'by hand' })
  await server.wipe()
  await first.ask('admit', 'no')
  const after = await first.ask('snapshot')
  expect(after).toMatchObject({ state: 'open', reason: 'by hand', retryAfterMs: null })
  expect(after).toMatchObject({ mark: 'terminated', markReason: 'contract ended', markActor: 'ops' })
  expect(after.throttledForMs).toBeGreaterThan(15_000)
})

async function bring(one: Worker<CallerActions>, state: CircuitState, cooldown: () => Promise<void>) {
  await one.ask('fail', 3)
  if (state === 'open') return
  await cooldown()
  await one.ask('admit', 'trial')
  await one.ask('settle', 'trial', 'healthy')
  if (state === 'half_open') {
    await one.ask('admit', 'trial')
    return
  }
  await one.ask('admit', 'trial')
  await one.ask('settle', 'trial', 'healthy')
  // One failure, so that a late success has something to wipe out.
  await one.ask('fail', 1)
}

/** Kinds of the events in the stream; a wipe took those from before. */
async function eventKinds({ redis, namespace }: PrivateRedis): Promise<(string | undefined)[]> {
  const entries = await redis.xrange(`${namespace}:{openai}:events`, '-', '+')
  return entries.map(([, fields]) => fields[1])
}
