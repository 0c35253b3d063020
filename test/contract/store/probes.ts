import { describe, expect, it } from 'vitest'
import { kinds, quick, QUICK, type Ground } from './subject.js'

/** Health checks: who may run one, and what its result may do. */
export function probesContract(open: () => Promise<Ground>): void {
  describe('a probe', () => {
    it('leaves when it began and what it found', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      const admission = await subject.probe()
      expect(admission).toMatchObject({ admitted: true, trial: false, settingsRevision: 1, markVersion: 0 })
      const began = ground.nowMs()
      expect(await subject.snapshot()).toMatchObject({ probeStartedAt: began, lastProbeAt: null })
      await ground.advance(40)
      await subject.finish(admission, 'unhealthy', { detail: 'HTTP 503' })
      expect(await subject.snapshot()).toMatchObject({
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
      const subject = await quick(await open(), { failureThreshold: 3 })
      await subject.record('unhealthy', 2)
      await subject.finish(await subject.probe(), 'unhealthy')
      await subject.finish(await subject.probe(), 'healthy')
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 2, probeConsecutiveFailures: 0 })
      await subject.finish(await subject.probe(), 'unhealthy')
      await subject.record('healthy')
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 0, probeConsecutiveFailures: 1 })
    })

    it('begins its run of failures anew when a call has closed the circuit', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.finish(await subject.probe(), 'unhealthy')
      await subject.finish(await subject.probe(), 'unhealthy')
      await subject.trip(1)
      await ground.advance(1)
      const closed = await subject.record('healthy')
      expect(closed.snapshot).toMatchObject({ state: 'closed', probeConsecutiveFailures: 0 })
      await subject.finish(await subject.probe(), 'unhealthy')
      expect((await subject.snapshot()).state).toBe('closed')
    })

    it('opens the circuit by its own run of failures', async () => {
      const subject = await quick(await open(), { failureThreshold: 2 })
      await subject.finish(await subject.probe(), 'timeout')
      const opened = await subject.finish(await subject.probe(), 'unhealthy', { detail: 'HTTP 500' })
      expect(opened.events).toMatchObject([
        { kind: 'opened', reason: '2 consecutive failed probes, last: unhealthy (HTTP 500)' },
      ])
      expect(opened.snapshot).toMatchObject({ probeConsecutiveFailures: 2, consecutiveFailures: 0 })
    })

    it('runs while the circuit is open, and then decides nothing', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('unhealthy')
      const admission = await subject.probe()
      expect(admission).toMatchObject({ admitted: true, trial: false, code: null })
      const reply = await subject.finish(admission, 'healthy')
      expect(reply).toMatchObject({ late: 0, dropped: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({
        state: 'open',
        lastProbeStatus: 'healthy',
        retryAfterMs: 1_000,
      })
    })

    it.each([
      ['healthy', 'closed', 'closed'],
      ['timeout', 'opened', 'open'],
    ] as const)('with a lease decides a half-open circuit: %s', async (outcome, kind, state) => {
      const subject = await quick(await open())
      await subject.openAndWait()
      const admission = await subject.probe('p')
      expect(admission).toMatchObject({ admitted: true, trial: true })
      const reply = await subject.finish(admission, outcome, {}, 'p')
      expect(kinds(reply)).toEqual([kind])
      expect((await subject.snapshot()).state).toBe(state)
    })

    it.each(['healthy', 'unhealthy'] as const)(
      'without a lease in half-open is history only: %s',
      async (outcome) => {
        const subject = await quick(await open())
        await subject.openAndWait()
        await subject.admit('call')
        const admission = await subject.probe('p')
        expect(admission).toMatchObject({ admitted: true, trial: false, code: 'no_trial_free' })
        const before = await subject.snapshot()
        const reply = await subject.finish(admission, outcome)
        expect(reply).toMatchObject({ late: 1, dropped: 0, events: [] })
        const { generation, version, consecutiveFailures, probeConsecutiveFailures } = before
        expect(await subject.snapshot()).toMatchObject({
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
      const ground = await open()
      const subject = await quick(ground)
      const admission = await subject.probe()
      await ground.advance(1)
      await subject.reset()
      expect(await subject.finish(admission, 'unhealthy')).toMatchObject({ late: 1, dropped: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({ state: 'closed', historyTotal: 1 })
    })

    it.each([
      ['settings changed', 'set'],
      ['a mark was set', 'mark'],
      ['a mark was cleared', 'resume'],
    ] as const)('during which %s is dropped, and its slot is free', async (_, change) => {
      const ground = await open()
      const subject = await quick(ground)
      if (change === 'resume') await subject.mark('degraded')
      await subject.openAndWait()
      const admission = await subject.probe('p')
      expect(admission.trial).toBe(true)
      const before = await subject.snapshot()
      if (change === 'set') await subject.register({ breaker: { ...QUICK, failureThreshold: 8 } })
      if (change === 'mark') await subject.mark('degraded')
      if (change === 'resume') await subject.resume()
      const reply = await subject.finish(admission, 'healthy', {}, 'p')
      expect(reply).toMatchObject({ dropped: 1, late: 0, events: [] })
      const { historyTotal, applied, generation } = before
      expect(await subject.snapshot()).toMatchObject({
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
      const subject = await quick(await open())
      await subject.record('healthy')
      const admission = await subject.probe()
      if (change === 'set') await subject.register({ breaker: { ...QUICK, failureThreshold: 8 } })
      else await subject.mark('degraded')
      if (change === 'both') await subject.resume()
      expect(await subject.finish(admission, 'healthy')).toMatchObject({ dropped: 1, late: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({ lastProbeStatus: null, historyTotal: 1, applied: 1 })
    })

    it('that passes leaves a run of failed calls as it is, and its words replace those of the last', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.record('unhealthy', 2)
      await subject.finish(await subject.probe(), 'degraded', { detail: 'slow' })
      expect(await subject.snapshot()).toMatchObject({ lastProbeStatus: 'degraded', lastProbeDetail: 'slow' })
      await ground.advance(10)
      await subject.finish(await subject.probe(), 'healthy')
      expect(await subject.snapshot()).toMatchObject({
        lastProbeStatus: 'healthy',
        lastProbeDetail: '',
        lastProbeAt: ground.nowMs(),
        consecutiveFailures: 2,
        historyTotal: 4,
      })
      await subject.record('unhealthy')
      expect((await subject.snapshot()).state).toBe('open')
    })

    it('that is abandoned gives its lease back and says nothing', async () => {
      const subject = await quick(await open())
      await subject.openAndWait()
      const admission = await subject.probe('p')
      await subject.finish(admission, 'ignored', {}, 'p')
      expect(await subject.snapshot()).toMatchObject({ state: 'half_open', trials: 0, lastProbeStatus: null })
    })
  })

  describe('a probe is turned away', () => {
    it('when another began less than the gap ago, and not a ms longer', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.probe('a', { minGapMs: 500 })
      await ground.advance(499)
      expect(await subject.probe('b', { minGapMs: 500 })).toMatchObject({
        admitted: false,
        code: 'probed_recently',
        retryAfterMs: 1,
        trial: false,
      })
      await ground.advance(1)
      expect(await subject.probe('c', { minGapMs: 500 })).toMatchObject({ admitted: true, code: null })
      expect((await subject.snapshot()).probeStartedAt).toBe(ground.nowMs())
    })

    it('and leaves no trace when it is', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.probe('a', { minGapMs: 500 })
      const began = ground.nowMs()
      await ground.advance(400)
      await subject.probe('b', { minGapMs: 500 })
      expect((await subject.snapshot()).probeStartedAt).toBe(began)
    })

    it.each([
      ['unhealthy', false],
      ['terminated', false],
      ['degraded', true],
    ] as const)('by the mark %s or not: admitted %s', async (mark, admitted) => {
      const subject = await quick(await open())
      await subject.mark(mark)
      expect((await subject.probe()).admitted).toBe(admitted)
    })

    it('during a pause, also beside an open circuit', async () => {
      const subject = await quick(await open())
      await subject.record('throttled', 1, { retryAfterMs: 50 })
      await subject.trip(200)
      expect(await subject.probe()).toMatchObject({ admitted: false, code: 'throttled', retryAfterMs: 200 })
      expect((await subject.snapshot()).probeStartedAt).toBeNull()
    })

    it('does not stand in the way of calls', async () => {
      const subject = await quick(await open())
      await subject.probe('a', { minGapMs: 500 })
      expect(await subject.admit('b', { minGapMs: 500 })).toMatchObject({ admitted: true, code: null })
    })
  })
}
