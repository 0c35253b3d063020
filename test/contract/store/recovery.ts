import { describe, expect, it } from 'vitest'
import type { SettingsInput } from '../../../src/model/settings.js'
import { kinds, QUICK, Subject, type Ground } from './subject.js'

/** Who may try an open circuit again, and which results of probes are believed. */
export function recoveryContract(open: () => Promise<Ground>): void {
  const INTERVAL_MS = 200

  async function probed(
    ground: Ground,
    breaker: SettingsInput['breaker'] = {},
    probe: { readonly healthyAfter?: number; readonly unhealthyAfter?: number } = {},
  ): Promise<Subject> {
    const subject = new Subject(ground)
    const target = { kind: 'tcp', host: 'localhost', port: 1, intervalMs: INTERVAL_MS } as const
    await subject.register({ breaker: { ...QUICK, ...breaker }, probe: { ...target, ...probe } })
    return subject
  }

  describe('recovery by probes alone', () => {
    it('refuses calls until the trial of a probe closes the circuit', async () => {
      const ground = await open()
      const subject = await probed(ground, { recovery: 'probe' })
      await subject.openAndWait()
      expect(await subject.admit('a')).toMatchObject({
        admitted: false,
        code: 'awaiting_probe',
        reason: 'half-open: a health check is to try first',
        retryAfterMs: 3 * INTERVAL_MS,
        trial: false,
        events: [],
      })
      const trial = await subject.probe('p')
      expect(trial).toMatchObject({ admitted: true, trial: true })
      expect(await subject.admit('a')).toMatchObject({ admitted: false, code: 'no_trial_free' })
      expect(kinds(await subject.finish(trial, 'healthy', {}, 'p'))).toEqual(['closed'])
      expect(await subject.admit('a')).toMatchObject({ admitted: true, code: null, trial: false })
    })

    it('lets calls try three intervals after the cooldown, to the ms, when nobody probes', async () => {
      const ground = await open()
      const subject = await probed(ground, { recovery: 'probe' })
      await subject.openAndWait(3 * INTERVAL_MS - 1)
      expect(await subject.admit('a')).toMatchObject({ code: 'awaiting_probe', retryAfterMs: 1 })
      await ground.advance(1)
      expect(await subject.admit('a')).toMatchObject({ admitted: true, trial: true })
    })

    it('lets calls try three intervals after the last probe began', async () => {
      const ground = await open()
      const subject = await probed(ground, { recovery: 'probe' })
      await subject.openAndWait()
      await subject.finish(await subject.probe('p'), 'ignored', {}, 'p')
      await ground.advance(3 * INTERVAL_MS - 1)
      expect(await subject.admit('a')).toMatchObject({ admitted: false, code: 'awaiting_probe' })
      await ground.advance(1)
      expect(await subject.admit('a')).toMatchObject({ admitted: true, trial: true })
    })

    it('counts from the end of a trip by hand too', async () => {
      const ground = await open()
      const subject = await probed(ground, { recovery: 'probe' })
      await subject.trip(60_000)
      await ground.advance(60_000)
      expect(await subject.admit('a')).toMatchObject({
        code: 'awaiting_probe',
        retryAfterMs: 3 * INTERVAL_MS,
      })
    })

    it('says what it would refuse where nothing is enforced', async () => {
      const subject = await probed(await open(), { recovery: 'probe', enforce: false })
      await subject.openAndWait()
      expect(await subject.admit('a')).toMatchObject({ admitted: true, code: 'awaiting_probe', trial: false })
    })
  })

  describe('recovery by traffic alone', () => {
    it('gives probes no trial, and what they find decides nothing', async () => {
      const subject = await probed(await open(), { recovery: 'traffic' })
      await subject.openAndWait()
      const admission = await subject.probe('p')
      expect(admission).toMatchObject({ admitted: true, trial: false, events: [] })
      expect(await subject.finish(admission, 'healthy', {}, 'p')).toMatchObject({ late: 1, events: [] })
      expect(await subject.snapshot()).toMatchObject({ state: 'half_open', lastProbeStatus: 'healthy' })
      expect(await subject.admit('a')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('recovery by both', () => {
    it.each(['call', 'probe'] as const)('is tried by whichever comes first: a %s', async (origin) => {
      const subject = await probed(await open(), { recovery: 'both' })
      await subject.openAndWait()
      const [first, other] = [{ origin }, { origin: origin === 'call' ? 'probe' : 'call' }] as const
      expect(await subject.admit('first', first)).toMatchObject({ admitted: true, trial: true })
      expect(await subject.admit('other', other)).toMatchObject({ code: 'no_trial_free', trial: false })
    })
  })

  describe('against flapping', () => {
    const result = async (subject: Subject, outcome: 'healthy' | 'unhealthy') =>
      subject.finish(await subject.probe('p'), outcome, {}, 'p')

    it('a bad probe opens nothing before the last of `unhealthyAfter`', async () => {
      const subject = await probed(await open(), {}, { unhealthyAfter: 3 })
      await result(subject, 'unhealthy')
      await result(subject, 'unhealthy')
      expect(await subject.snapshot()).toMatchObject({
        state: 'closed',
        lastProbeStatus: 'unhealthy',
        probeConsecutiveFailures: 0,
        historyTotal: 2,
      })
      await result(subject, 'healthy')
      await result(subject, 'unhealthy')
      await result(subject, 'unhealthy')
      expect((await subject.snapshot()).state).toBe('closed')
      await result(subject, 'unhealthy')
      expect((await subject.snapshot()).state).toBe('open')
    })

    it('good probes of a closed circuit end what bad ones began: the next bad one opens nothing by itself', async () => {
      const subject = await probed(await open(), {}, { healthyAfter: 2, unhealthyAfter: 2 })
      for (const outcome of ['unhealthy', 'unhealthy'] as const) await result(subject, outcome)
      expect((await subject.snapshot()).state).toBe('open')
      await subject.reset()
      for (const outcome of ['healthy', 'healthy', 'unhealthy'] as const) await result(subject, outcome)
      expect((await subject.snapshot()).state).toBe('closed')
    })

    it('a good probe closes nothing before the last of `healthyAfter`, and gives its trial back', async () => {
      const ground = await open()
      const subject = await probed(ground, {}, { healthyAfter: 3 })
      await result(subject, 'unhealthy')
      await ground.advance(QUICK.cooldownMs)
      for (let i = 0; i < 2; i += 1) {
        expect((await result(subject, 'healthy')).events).toEqual([])
        expect(await subject.snapshot()).toMatchObject({ state: 'half_open', trials: 0 })
      }
      expect(kinds(await result(subject, 'healthy'))).toEqual(['closed'])
    })
  })

  describe('while a probe is under way', () => {
    const LEASE_MS = 700

    it('a second is turned away, and begins after the result', async () => {
      const subject = await probed(await open())
      const first = await subject.probe('p', { leaseMs: LEASE_MS })
      expect(await subject.probe('q', { leaseMs: LEASE_MS })).toMatchObject({
        admitted: false,
        code: 'probed_recently',
        reason: 'another probe is under way',
        retryAfterMs: LEASE_MS,
      })
      await subject.finish(first, 'healthy')
      expect(await subject.probe('q')).toMatchObject({ admitted: true, code: null })
    })

    it('a second begins when the time of the first is over, and not a ms sooner', async () => {
      const ground = await open()
      const subject = await probed(ground)
      await subject.probe('p', { leaseMs: LEASE_MS })
      await ground.advance(LEASE_MS - 1)
      expect(await subject.probe('q')).toMatchObject({ admitted: false, retryAfterMs: 1 })
      await ground.advance(1)
      expect(await subject.probe('q')).toMatchObject({ admitted: true })
    })

    it('calls are not held up', async () => {
      const subject = await probed(await open())
      await subject.probe('p', { leaseMs: LEASE_MS })
      expect(await subject.admit('a')).toMatchObject({ admitted: true, code: null })
    })
  })
}
