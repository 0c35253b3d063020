import { describe, expect, it } from 'vitest'
import type { SettingsInput } from '../../../src/model/settings.js'
import { kinds, QUICK, TestProvider, type TestStore } from './test-provider.js'

/** Who may try an open circuit again, and which results of probes are believed. */
export function recoveryContract(open: () => Promise<TestStore>): void {
  const INTERVAL_MS = 200

  async function probed(
    testStore: TestStore,
    breaker: SettingsInput['breaker'] = {},
    probe: { readonly healthyAfter?: number; readonly unhealthyAfter?: number } = {},
  ): Promise<TestProvider> {
    const testProvider = new TestProvider(testStore)
    const target = { kind: 'tcp', host: 'localhost', port: 1, intervalMs: INTERVAL_MS } as const
    await testProvider.register({ breaker: { ...QUICK, ...breaker }, probe: { ...target, ...probe } })
    return testProvider
  }

  describe('recovery by probes alone', () => {
    it('refuses calls until the trial of a probe closes the circuit', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore, { recovery: 'probe' })
      await testProvider.openAndWait()
      expect(await testProvider.admit('a')).toMatchObject({
        admitted: false,
        code: 'awaiting_probe',
        reason: 'half-open: a health check is to try first',
        retryAfterMs: 3 * INTERVAL_MS,
        trial: false,
        events: [],
      })
      const trial = await testProvider.probe('p')
      expect(trial).toMatchObject({ admitted: true, trial: true })
      expect(await testProvider.admit('a')).toMatchObject({ admitted: false, code: 'no_trial_free' })
      expect(kinds(await testProvider.finish(trial, 'healthy', {}, 'p'))).toEqual(['closed'])
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, code: null, trial: false })
    })

    it('lets calls try three intervals after the cooldown, to the ms, when nobody probes', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore, { recovery: 'probe' })
      await testProvider.openAndWait(3 * INTERVAL_MS - 1)
      expect(await testProvider.admit('a')).toMatchObject({ code: 'awaiting_probe', retryAfterMs: 1 })
      await testStore.advance(1)
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, trial: true })
    })

    it('lets calls try three intervals after the last probe began', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore, { recovery: 'probe' })
      await testProvider.openAndWait()
      await testProvider.finish(await testProvider.probe('p'), 'ignored', {}, 'p')
      await testStore.advance(3 * INTERVAL_MS - 1)
      expect(await testProvider.admit('a')).toMatchObject({ admitted: false, code: 'awaiting_probe' })
      await testStore.advance(1)
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, trial: true })
    })

    it('counts from the end of a trip by hand too', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore, { recovery: 'probe' })
      await testProvider.trip(60_000)
      await testStore.advance(60_000)
      expect(await testProvider.admit('a')).toMatchObject({
        code: 'awaiting_probe',
        retryAfterMs: 3 * INTERVAL_MS,
      })
    })

    it('says what it would refuse where nothing is enforced', async () => {
      const testProvider = await probed(await open(), { recovery: 'probe', enforce: false })
      await testProvider.openAndWait()
      expect(await testProvider.admit('a')).toMatchObject({
        admitted: true,
        code: 'awaiting_probe',
        trial: false,
      })
    })
  })

  describe('recovery by traffic alone', () => {
    it('gives probes no trial, and what they find decides nothing', async () => {
      const testProvider = await probed(await open(), { recovery: 'traffic' })
      await testProvider.openAndWait()
      const admission = await testProvider.probe('p')
      expect(admission).toMatchObject({ admitted: true, trial: false, events: [] })
      expect(await testProvider.finish(admission, 'healthy', {}, 'p')).toMatchObject({
        outdated: 1,
        events: [],
      })
      expect(await testProvider.snapshot()).toMatchObject({ state: 'half_open', lastProbeStatus: 'healthy' })
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('recovery by both', () => {
    it.each(['call', 'probe'] as const)('is tried by whichever comes first: a %s', async (origin) => {
      const testProvider = await probed(await open(), { recovery: 'both' })
      await testProvider.openAndWait()
      const [first, other] = [{ origin }, { origin: origin === 'call' ? 'probe' : 'call' }] as const
      expect(await testProvider.admit('first', first)).toMatchObject({ admitted: true, trial: true })
      expect(await testProvider.admit('other', other)).toMatchObject({ code: 'no_trial_free', trial: false })
    })
  })

  describe('against flapping', () => {
    const result = async (testProvider: TestProvider, outcome: 'healthy' | 'unhealthy') =>
      testProvider.finish(await testProvider.probe('p'), outcome, {}, 'p')

    it('a bad probe opens nothing before the last of `unhealthyAfter`', async () => {
      const testProvider = await probed(await open(), {}, { unhealthyAfter: 3 })
      await result(testProvider, 'unhealthy')
      await result(testProvider, 'unhealthy')
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        lastProbeStatus: 'unhealthy',
        probeConsecutiveFailures: 0,
        historyTotal: 2,
      })
      await result(testProvider, 'healthy')
      await result(testProvider, 'unhealthy')
      await result(testProvider, 'unhealthy')
      expect((await testProvider.snapshot()).state).toBe('closed')
      await result(testProvider, 'unhealthy')
      expect((await testProvider.snapshot()).state).toBe('open')
    })

    it('good probes of a closed circuit end what bad ones began: the next bad one opens nothing by itself', async () => {
      const testProvider = await probed(await open(), {}, { healthyAfter: 2, unhealthyAfter: 2 })
      for (const outcome of ['unhealthy', 'unhealthy'] as const) await result(testProvider, outcome)
      expect((await testProvider.snapshot()).state).toBe('open')
      await testProvider.reset()
      for (const outcome of ['healthy', 'healthy', 'unhealthy'] as const) await result(testProvider, outcome)
      expect((await testProvider.snapshot()).state).toBe('closed')
    })

    it('a good probe closes nothing before the last of `healthyAfter`, and gives its trial back', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore, {}, { healthyAfter: 3 })
      await result(testProvider, 'unhealthy')
      await testStore.advance(QUICK.cooldownMs)
      for (let i = 0; i < 2; i += 1) {
        expect((await result(testProvider, 'healthy')).events).toEqual([])
        expect(await testProvider.snapshot()).toMatchObject({ state: 'half_open', trials: 0 })
      }
      expect(kinds(await result(testProvider, 'healthy'))).toEqual(['closed'])
    })
  })

  describe('while a probe is under way', () => {
    const LEASE_MS = 700

    it('a second is turned away, and begins after the result', async () => {
      const testProvider = await probed(await open())
      const first = await testProvider.probe('p', { leaseMs: LEASE_MS })
      expect(await testProvider.probe('q', { leaseMs: LEASE_MS })).toMatchObject({
        admitted: false,
        code: 'probed_recently',
        reason: 'another probe is under way',
        retryAfterMs: LEASE_MS,
      })
      await testProvider.finish(first, 'healthy')
      expect(await testProvider.probe('q')).toMatchObject({ admitted: true, code: null })
    })

    it('a second begins when the time of the first is over, and not a ms sooner', async () => {
      const testStore = await open()
      const testProvider = await probed(testStore)
      await testProvider.probe('p', { leaseMs: LEASE_MS })
      await testStore.advance(LEASE_MS - 1)
      expect(await testProvider.probe('q')).toMatchObject({ admitted: false, retryAfterMs: 1 })
      await testStore.advance(1)
      expect(await testProvider.probe('q')).toMatchObject({ admitted: true })
    })

    it('calls are not held up', async () => {
      const testProvider = await probed(await open())
      await testProvider.probe('p', { leaseMs: LEASE_MS })
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, code: null })
    })
  })
}
