import { describe, expect, it } from 'vitest'
import { control, quick, run, type Ground, type Subject } from './subject.js'

/** What failed before an outage of the whole fleet does not add up with what fails after it. */
export function outagesContract(open: () => Promise<Ground>): void {
  const OUTAGE_MS = 5_000

  /** Two failures of three, then nothing until the store is back. */
  async function afterOutage(): Promise<{ ground: Ground; subject: Subject; generation: number }> {
    const ground = await open()
    const subject = await quick(ground, { failureThreshold: 3 })
    await subject.record('unhealthy', 2)
    const { generation } = await subject.snapshot()
    await ground.advance(OUTAGE_MS)
    return { ground, subject, generation }
  }
  const failed = (generation: number) => [run('unhealthy', { generation })]
  /** One ms after the last write. */
  const LOST = { lostMsAgo: OUTAGE_MS - 1 }

  describe('a batch', () => {
    it('that runs after its not_after_ms does nothing, and counts once when it is sent again', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      const { generation } = await subject.snapshot()
      const batch = subject.batch(failed(generation), { notAfterMs: ground.nowMs() })
      await ground.advance(1)
      const before = await subject.snapshot()
      expect(await subject.store.record('openai', batch)).toEqual({ status: 'late', nowMs: ground.nowMs() })
      expect(await subject.snapshot()).toEqual(before)
      const again = { ...batch, notAfterMs: ground.nowMs() }
      expect(await subject.store.record('openai', again)).toMatchObject({ status: 'ok', duplicate: false })
      expect(await subject.store.record('openai', again)).toMatchObject({ status: 'ok', duplicate: true })
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 1, applied: 1 })
    })

    it('late in an everyday way does nothing either', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.record('healthy')
      const { generation, version } = await subject.snapshot()
      const late = { knownVersion: version, notAfterMs: ground.nowMs() - 1 }
      const batch = subject.batch(failed(generation), late)
      expect(await subject.store.record('openai', batch)).toMatchObject({ status: 'late' })
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 0, applied: 1 })
    })
  })

  describe('after an outage of the whole fleet', () => {
    it('the first batch begins both runs of failures anew, then counts', async () => {
      const { subject, generation } = await afterOutage()
      await subject.send(failed(generation), LOST)
      expect(await subject.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 1, applied: 3 })
    })

    it('the run of failed probes begins anew too', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      for (const token of ['probe-1', 'probe-2']) {
        await subject.finish(await subject.probe(token), 'unhealthy', {}, token)
      }
      expect((await subject.snapshot()).probeConsecutiveFailures).toBe(2)
      await ground.advance(OUTAGE_MS)
      await subject.send([], LOST)
      expect(await subject.snapshot()).toMatchObject({ probeConsecutiveFailures: 0, applied: 2 })
    })

    it('each worker that comes back says so, and only the first begins anew', async () => {
      const { ground, subject, generation } = await afterOutage()
      for (const [i, incarnation] of ['life-2', 'life-3', 'life-4'].entries()) {
        await ground.advance(10)
        const lostMsAgo = LOST.lostMsAgo + 10 * (i + 1)
        await subject.send(failed(generation), { incarnation, sequence: 1, lostMsAgo })
      }
      expect(await subject.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 3 })
    })

    it('a batch that was applied before the outage, its reply lost, begins anew and is not applied again', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      const { generation } = await subject.snapshot()
      const batch = subject.batch([run('unhealthy', { generation, count: 2 })])
      await subject.store.record('openai', batch)
      await ground.advance(OUTAGE_MS)
      const again = await subject.store.record('openai', { ...batch, ...LOST, resent: true })
      expect(again).toMatchObject({ duplicate: true, applied: 2 })
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 0, historyTotal: 2 })
    })

    it('an idle provider is taken for one that nobody could reach', async () => {
      const { ground, subject, generation } = await afterOutage()
      await ground.advance(3_600_000)
      await subject.send(failed(generation), { lostMsAgo: 100 })
      expect((await subject.snapshot()).consecutiveFailures).toBe(1)
    })

    it('an open circuit stays open until the same moment', async () => {
      const ground = await open()
      const subject = await quick(ground, { cooldownMs: 60_000 })
      await subject.record('unhealthy')
      await ground.advance(OUTAGE_MS)
      await subject.send([], LOST)
      expect(await subject.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 60_000 - OUTAGE_MS })
    })
  })

  describe('where only one worker was cut off', () => {
    it('and others wrote since it lost the store, failures add up', async () => {
      const { subject, generation } = await afterOutage()
      await subject.send(failed(generation), { incarnation: 'life-1', lostMsAgo: OUTAGE_MS })
      expect(await subject.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 3 })
    })

    it('a mark that others set is enough to know that they went on', async () => {
      const { ground, subject, generation } = await afterOutage()
      await subject.store.mark('openai', { ...control(), mark: 'degraded', forMs: null })
      await ground.advance(1)
      await subject.send(failed(generation), LOST)
      expect((await subject.snapshot()).state).toBe('open')
    })
  })

  describe('an outcome that waited for the store', () => {
    const entries = async (subject: Subject) =>
      (await subject.store.history('openai', 100, 0)).map(({ at, status, count }) => [at, status, count])

    it('enters the history at the time at which it happened', async () => {
      const { ground, subject } = await afterOutage()
      const now = ground.nowMs()
      await subject.send([
        run('timeout', { ageMs: 4_000 }),
        run('unhealthy', { ageMs: 700 }),
        run('healthy', { ageMs: 20 }),
        run('healthy', { count: 2, ageMs: 10 }),
      ])
      expect((await entries(subject)).slice(1)).toEqual([
        [now - 4_000, 'timeout', 1],
        [now - 700, 'unhealthy', 1],
        [now - 20, 'healthy', 3],
      ])
    })

    it('does so too as the result of an everyday probe', async () => {
      const { ground, subject } = await afterOutage()
      const now = ground.nowMs()
      const { version } = await subject.snapshot()
      const { generation, settingsRevision, markVersion } = await subject.probe()
      const begun = { origin: 'probe' as const, generation, settingsRevision, markVersion }
      await subject.send([run('healthy', { ...begun, ageMs: 700 })], { knownVersion: version })
      expect((await entries(subject)).slice(1)).toEqual([[now - 700, 'healthy', 1]])
    })

    it('never enters before the newest that is there', async () => {
      const { ground, subject } = await afterOutage()
      const now = ground.nowMs()
      await subject.send([run('timeout', { ageMs: 1_000 })])
      await subject.send([run('degraded', { ageMs: 3_000 })], { incarnation: 'life-2', sequence: 1 })
      expect((await entries(subject)).slice(1)).toEqual([
        [now - 1_000, 'timeout', 1],
        [now - 1_000, 'degraded', 1],
      ])
    })

    it('counts for the rest of its window only', async () => {
      const ground = await open()
      const subject = await quick(ground, {}, { windowMs: 1_000 })
      await subject.send([run('timeout', { ageMs: 5_000 }), run('unhealthy', { ageMs: 900, count: 2 })])
      expect((await subject.snapshot()).historyTotal).toBe(2)
      await ground.advance(101)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 0, applied: 3 })
    })
  })
}
