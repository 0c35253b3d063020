import { expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import type { Run } from '../../src/model/ports/store-requests.js'
import type { BreakerSettings, SettingsInput } from '../../src/model/settings.js'
import type { Outcome } from '../../src/model/words.js'
import { judgeBatch } from '../../src/rules/batch.js'
import { newCircuit, type Circuit } from '../../src/rules/circuit.js'
import { presentJudgement } from '../../src/rules/circuit-view.js'
import { createTestBusbar } from '../../src/testing.js'
import { byForm } from '../harness/form.js'
import { figure } from '../harness/figure.js'
import { generator } from '../harness/random.js'

const BEGAN_MS = 1_700_000_000_000

const run = (outcome: Outcome, generation: number, count = 1): Run => ({
  ...{ origin: 'call', outcome, count, generation, token: '', retryAfterMs: 0 },
  ...{ settingsRevision: 0, markVersion: 0, detail: '', ageMs: 0 },
})

/** A circuit that outcomes are put through, one after the other. */
class Judged {
  readonly breaker: BreakerSettings
  circuit: Circuit = newCircuit(BEGAN_MS)
  openings: string[] = []

  constructor(breaker: SettingsInput['breaker']) {
    this.breaker = resolveSettings({ breaker }).breaker
  }

  at(ms: number): this {
    this.circuit = { ...this.circuit, lastNowMs: BEGAN_MS + ms }
    return this
  }

  put(outcome: Outcome, count = 1): this {
    const preconditions = { settingsRevision: 0, breaker: this.breaker, probe: null, windowMs: 60_000 }
    const runs = [run(outcome, this.circuit.generation, count)]
    const { circuit, events } = judgeBatch(this.circuit, runs, preconditions, {
      jitterDraw: 0,
      reporter: null,
    })
    this.circuit = circuit
    for (const { kind, reason } of events) if (kind === 'opened') this.openings.push(reason)
    return this
  }

  get seen() {
    return presentJudgement(this.circuit, this.circuit.lastNowMs, this.breaker)
  }
}

const HALF = { failureThreshold: null, failureRate: 0.5 } as const

it('a provider that fails two of three calls opens, with the numbers in the reason', () => {
  const judged = new Judged({ failureThreshold: 3, failureRate: 0.5 })
  for (let i = 0; i < 600 && judged.openings.length === 0; i += 1)
    judged.at(i * 10).put(i % 3 === 2 ? 'healthy' : 'unhealthy')
  expect(judged.openings).toEqual(['failure rate 67 % of 101 calls (limit 50 %), last: unhealthy'])
})

it('a run opens at the same outcome as its outcomes one by one', () => {
  const random = generator(5)
  let opened = 0
  for (let i = 0; i < 300; i += 1) {
    const share = Math.floor(random() * 9_500 + 500) / 10_000
    const settings = {
      failureThreshold: null,
      failureRate: share,
      minimumCalls: 2 + Math.floor(random() * 30),
    }
    const [good, bad, count] = [1, 1, 1].map(() => Math.floor(random() * 40)) as [number, number, number]
    const prepare = () =>
      new Judged(settings)
        .at(0)
        .put('healthy', good + 1)
        .at(500)
        .put('unhealthy', bad + 1)
    const together = prepare()
      .at(1_500)
      .put('timeout', count + 1)
    const single = prepare().at(1_500)
    for (let n = 0; n <= count && single.openings.length === 0; n += 1) single.put('timeout')
    expect(together.openings).toEqual(single.openings)
    opened += together.openings.length
  }
  expect(opened).toBeGreaterThan(30)
})

it('no rate is judged before the window is a tenth of its width old, nor within 1 s', () => {
  const young = new Judged(HALF).at(0).put('unhealthy', 50).at(999).put('unhealthy', 50)
  expect(young.openings).toEqual([])
  expect(young.at(1_000).put('unhealthy').openings).toHaveLength(1)
  const wide = new Judged({ ...HALF, rateWindowMs: 20_000 }).at(0).put('unhealthy', 50)
  expect(wide.at(1_999).put('unhealthy').openings).toEqual([])
  expect(wide.at(2_000).put('unhealthy').openings).toHaveLength(1)
})

it('the window forgets what is older, and a window of another generation is empty', () => {
  const judged = new Judged({ failureThreshold: 10_000, failureRate: 1 }).at(0).put('healthy', 5)
  expect(judged.at(8_999).put('unhealthy').seen).toMatchObject({ windowCalls: 6, windowFailures: 1 })
  expect(judged.at(10_000).put('unhealthy').seen).toMatchObject({ windowCalls: 2, failureRate: null })
  judged.circuit = { ...judged.circuit, generation: judged.circuit.generation + 1 }
  expect(judged.seen).toMatchObject({
    windowCalls: 0,
    windowFailures: 0,
    failureRate: null,
    degradedRate: null,
  })
})

it('degraded calls open by their own rate, and a client error is a call that did not fail', () => {
  const judged = new Judged({ ...HALF, degradedRate: 0.6 }).at(0).put('client_error', 10)
  judged.at(1_000).put('degraded', 14)
  expect(judged.openings).toEqual([])
  expect(judged.seen).toMatchObject({
    windowCalls: 24,
    windowDegraded: 14,
    failureRate: 0,
    degradedRate: 0.5833,
  })
  expect(judged.put('degraded').openings).toEqual([
    'degraded rate 60 % of 25 calls (limit 60 %), last: degraded',
  ])
})

it('a degraded trial is a failed trial where degraded calls open the circuit', async () => {
  const busbar = createTestBusbar()
  const provider = await busbar.provider('slow', {
    breaker: { failureThreshold: 1, degradedRate: 0.5, cooldownMs: 1_000 },
  })
  await provider.recordFailure()
  busbar.clock.advance(1_000)
  const trial = await provider.admit()
  if (trial.admitted) await trial.permit.settle('degraded')
  expect(await provider.state()).toBe('open')
  await busbar.close()
})

it('5 % errors do not open a circuit with a rate of one half', () => {
  const calls = byForm({ short: 100_000, full: 1_000_000 })
  const random = generator(1)
  const judged = new Judged(HALF)
  for (let i = 0; i < calls; i += 1) judged.at(i * 2).put(random() < 0.05 ? 'unhealthy' : 'healthy')
  figure(7, `${calls} calls with 5 % errors: ${judged.openings.length} openings by rate`)
  expect(judged.openings).toEqual([])
})

it('a circuit that closed does not open again by failures from before', async () => {
  const busbar = createTestBusbar()
  const provider = await busbar.provider('api', {
    breaker: { ...HALF, cooldownMs: 1_000, rateWindowMs: 60_000 },
  })
  for (let i = 0; i < 60; i += 1) {
    await provider.recordFailure()
    await busbar.flush()
    busbar.clock.advance(200)
    if ((await provider.state()) === 'open') break
  }
  expect(await provider.state()).toBe('open')
  busbar.clock.advance(1_000)
  const trial = await provider.admit()
  if (trial.admitted) await trial.permit.settle('healthy')
  for (let i = 0; i < 100; i += 1) {
    await provider.record(i % 5 === 0 ? 'unhealthy' : 'healthy')
    await busbar.flush()
    busbar.clock.advance(100)
  }
  expect(await provider.state()).toBe('closed')
  await busbar.close()
})
