import { describe, expect, it } from 'vitest'
import { kinds, quick, QUICK, type TestStore } from './test-provider.js'

/** Health checks: who may run one, and what its result may do. */
export function probesContract(open: () => Promise<TestStore>): void {
  describe('a probe', () => {
    it('leaves when it began and what it found', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      const admission = await testProvider.probe()
      expect(admission).toMatchObject({ admitted: true, trial: false, settingsRevision: 1, markVersion: 0 })
      const began = testStore.nowMs()
      expect(await testProvider.snapshot()).toMatchObject({ probeStartedAt: began, lastProbeAt: null })
      await testStore.advance(40)
      await testProvider.finish(admission, 'unhealthy', { detail: 'HTTP 503' })
      expect(await testProvider.snapshot()).toMatchObject({
        probeStartedAt: began,
        lastProbeStatus: 'unhealthy',
        lastProbeDetail: 'HTTP 503',
        lastProbeAt: began + 40,
        probeConsecutiveFailures: 1,
        consecutiveFailures: 0,
        historyTotal: 1,
      })
    })

    it('that passes does not wipe out failing calls, nor the other way round', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      await testProvider.record('unhealthy', 2)
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      await testProvider.finish(await testProvider.probe(), 'healthy')
      expect(await testProvider.snapshot()).toMatchObject({
        consecutiveFailures: 2,
        probeConsecutiveFailures: 0,
      })
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      await testProvider.record('healthy')
      expect(await testProvider.snapshot()).toMatchObject({
        consecutiveFailures: 0,
        probeConsecutiveFailures: 1,
      })
    })

    it('begins its run of failures anew when a call has closed the circuit', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      await testProvider.trip(1)
      await testStore.advance(1)
      const closed = await testProvider.record('healthy')
      expect(closed.snapshot).toMatchObject({ state: 'closed', probeConsecutiveFailures: 0 })
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      expect((await testProvider.snapshot()).state).toBe('closed')
    })

    it('opens the circuit by its own run of failures', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 2 })
      await testProvider.finish(await testProvider.probe(), 'timeout')
      const opened = await testProvider.finish(await testProvider.probe(), 'unhealthy', {
        detail: 'HTTP 500',
      })
      expect(opened.events).toMatchObject([
        { kind: 'opened', reason: '2 consecutive failed probes, last: unhealthy (HTTP 500)' },
      ])
      expect(opened.snapshot).toMatchObject({ probeConsecutiveFailures: 2, consecutiveFailures: 0 })
    })

    it('runs while the circuit is open, and then decides nothing', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('unhealthy')
      const admission = await testProvider.probe()
      expect(admission).toMatchObject({ admitted: true, trial: false, code: null })
      const reply = await testProvider.finish(admission, 'healthy')
      expect(reply).toMatchObject({ outdated: 0, dropped: 0, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'open',
        lastProbeStatus: 'healthy',
        retryAfterMs: 1_000,
      })
    })

    it.each([
      ['healthy', 'closed', 'closed'],
      ['timeout', 'opened', 'open'],
    ] as const)('with a lease decides a half-open circuit: %s', async (outcome, kind, state) => {
      const testProvider = await quick(await open())
      await testProvider.openAndWait()
      const admission = await testProvider.probe('p')
      expect(admission).toMatchObject({ admitted: true, trial: true })
      const reply = await testProvider.finish(admission, outcome, {}, 'p')
      expect(kinds(reply)).toEqual([kind])
      expect((await testProvider.snapshot()).state).toBe(state)
    })

    it.each(['healthy', 'unhealthy'] as const)(
      'without a lease in half-open is history only: %s',
      async (outcome) => {
        const testProvider = await quick(await open())
        await testProvider.openAndWait()
        await testProvider.admit('call')
        const admission = await testProvider.probe('p')
        expect(admission).toMatchObject({ admitted: true, trial: false, code: 'no_trial_free' })
        const before = await testProvider.snapshot()
        const reply = await testProvider.finish(admission, outcome)
        expect(reply).toMatchObject({ outdated: 1, dropped: 0, events: [] })
        const { generation, version, consecutiveFailures, probeConsecutiveFailures } = before
        expect(await testProvider.snapshot()).toMatchObject({
          state: 'half_open',
          trials: 1,
          generation,
          version,
          consecutiveFailures,
          probeConsecutiveFailures,
          historyTotal: before.historyTotal + 1,
          lastProbeStatus: outcome,
        })
      },
    )

    it('from before a transition is history only', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const admission = await testProvider.probe()
      await testStore.advance(1)
      await testProvider.reset()
      expect(await testProvider.finish(admission, 'unhealthy')).toMatchObject({
        outdated: 1,
        dropped: 0,
        events: [],
      })
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', historyTotal: 1 })
    })

    it.each([
      ['settings changed', 'set'],
      ['a mark was set', 'mark'],
      ['a mark was cleared', 'resume'],
    ] as const)('during which %s is dropped, and its slot is free', async (_, change) => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      if (change === 'resume') await testProvider.mark('degraded')
      await testProvider.openAndWait()
      const admission = await testProvider.probe('p')
      expect(admission.trial).toBe(true)
      const before = await testProvider.snapshot()
      if (change === 'set') await testProvider.register({ breaker: { ...QUICK, failureThreshold: 8 } })
      if (change === 'mark') await testProvider.mark('degraded')
      if (change === 'resume') await testProvider.resume()
      const reply = await testProvider.finish(admission, 'healthy', {}, 'p')
      expect(reply).toMatchObject({ dropped: 1, outdated: 0, events: [] })
      const { historyTotal, applied, generation } = before
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'half_open',
        trials: 0,
        lastProbeStatus: null,
        historyTotal,
        applied,
        generation,
      })
    })

    it.each([
      ['settings changed', 'set'],
      ['a mark was set', 'mark'],
      ['a mark came and went', 'both'],
    ] as const)('of a closed circuit during which %s is dropped', async (_, change) => {
      const testProvider = await quick(await open())
      await testProvider.record('healthy')
      const admission = await testProvider.probe()
      if (change === 'set') await testProvider.register({ breaker: { ...QUICK, failureThreshold: 8 } })
      else await testProvider.mark('degraded')
      if (change === 'both') await testProvider.resume()
      expect(await testProvider.finish(admission, 'healthy')).toMatchObject({
        dropped: 1,
        outdated: 0,
        events: [],
      })
      expect(await testProvider.snapshot()).toMatchObject({
        lastProbeStatus: null,
        historyTotal: 1,
        applied: 1,
      })
    })

    it('that passes leaves a run of failed calls as it is, and its words replace those of the last', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.record('unhealthy', 2)
      await testProvider.finish(await testProvider.probe(), 'degraded', { detail: 'slow' })
      expect(await testProvider.snapshot()).toMatchObject({
        lastProbeStatus: 'degraded',
        lastProbeDetail: 'slow',
      })
      await testStore.advance(10)
      await testProvider.finish(await testProvider.probe(), 'healthy')
      expect(await testProvider.snapshot()).toMatchObject({
        lastProbeStatus: 'healthy',
        lastProbeDetail: '',
        lastProbeAt: testStore.nowMs(),
        consecutiveFailures: 2,
        historyTotal: 4,
      })
      await testProvider.record('unhealthy')
      expect((await testProvider.snapshot()).state).toBe('open')
    })

    it('that is abandoned gives its lease back and says nothing', async () => {
      const testProvider = await quick(await open())
      await testProvider.openAndWait()
      const admission = await testProvider.probe('p')
      await testProvider.finish(admission, 'ignored', {}, 'p')
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'half_open',
        trials: 0,
        lastProbeStatus: null,
      })
    })
  })

  describe('a probe is turned away', () => {
    it('when another began less than the gap ago, and not a ms longer', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.probe('a', { minGapMs: 500 })
      await testStore.advance(499)
      expect(await testProvider.probe('b', { minGapMs: 500 })).toMatchObject({
        admitted: false,
        code: 'probed_recently',
        retryAfterMs: 1,
        trial: false,
      })
      await testStore.advance(1)
      expect(await testProvider.probe('c', { minGapMs: 500 })).toMatchObject({ admitted: true, code: null })
      expect((await testProvider.snapshot()).probeStartedAt).toBe(testStore.nowMs())
    })

    it('and leaves no trace when it is', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.probe('a', { minGapMs: 500 })
      const began = testStore.nowMs()
      await testStore.advance(400)
      await testProvider.probe('b', { minGapMs: 500 })
      expect((await testProvider.snapshot()).probeStartedAt).toBe(began)
    })

    it.each([
      ['unhealthy', false],
      ['terminated', false],
      ['degraded', true],
    ] as const)('by the mark %s or not: admitted %s', async (mark, admitted) => {
      const testProvider = await quick(await open())
      await testProvider.mark(mark)
      expect((await testProvider.probe()).admitted).toBe(admitted)
    })

    it('during a pause, also beside an open circuit', async () => {
      const testProvider = await quick(await open())
      await testProvider.record('throttled', 1, { retryAfterMs: 50 })
      await testProvider.trip(200)
      expect(await testProvider.probe()).toMatchObject({
        admitted: false,
        code: 'throttled',
        retryAfterMs: 200,
      })
      expect((await testProvider.snapshot()).probeStartedAt).toBeNull()
    })

    it('does not stand in the way of calls', async () => {
      const testProvider = await quick(await open())
      await testProvider.probe('a', { minGapMs: 500 })
      expect(await testProvider.admit('b', { minGapMs: 500 })).toMatchObject({ admitted: true, code: null })
    })
  })
}
