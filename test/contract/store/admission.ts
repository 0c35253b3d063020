import { describe, expect, it } from 'vitest'
import { kinds, quick, type Ground, type Subject } from './subject.js'

/** Who may begin, who may not, and until when. */
export function admissionContract(open: () => Promise<Ground>): void {
  describe('admission', () => {
    it('is free while the circuit is closed: no lease, no event, no new version', async () => {
      const subject = await quick(await open())
      const { generation, version } = await subject.snapshot()
      const reply = await subject.admit()
      expect(reply).toMatchObject({ admitted: true, code: null, reason: '', retryAfterMs: 0, trial: false })
      expect(reply).toMatchObject({ generation, settingsRevision: 1, markVersion: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({ version, trials: 0 })
    })

    it('is refused while the circuit is open, until its deadline', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const opened = await subject.record('timeout')
      await ground.advance(300)
      expect(await subject.admit()).toMatchObject({
        admitted: false,
        code: 'circuit_open',
        reason: 'circuit open: 1 consecutive failures, last: timeout',
        retryAfterMs: 700,
        trial: false,
        generation: opened.snapshot?.generation,
        events: [],
      })
    })

    it('is refused a ms before the deadline and granted as a trial exactly at it', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.openAndWait(-1)
      expect(await subject.admit()).toMatchObject({ admitted: false, code: 'circuit_open', retryAfterMs: 1 })
      expect((await subject.snapshot()).state).toBe('open')
      await ground.advance(1)
      expect((await subject.snapshot()).state).toBe('half_open')
      expect(await subject.admit()).toMatchObject({
        admitted: true,
        trial: true,
        code: null,
        retryAfterMs: 0,
      })
    })

    it('is refused without a known end when the circuit was opened by hand for good', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.trip(null)
      await ground.advance(FAR_AHEAD_MS)
      expect(await subject.admit()).toMatchObject({
        admitted: false,
        code: 'circuit_open',
        reason: 'circuit open: a test',
        retryAfterMs: null,
      })
    })

    it.each([
      ['unhealthy', 'marked_unhealthy'],
      ['terminated', 'marked_terminated'],
    ] as const)('is refused by the mark %s, until the mark ends', async (mark, code) => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark(mark, 800)
      await ground.advance(300)
      const refused = { admitted: false, code, reason: `marked ${mark}: a test`, retryAfterMs: 500 }
      expect(await subject.admit()).toMatchObject(refused)
      await ground.advance(500)
      expect(await subject.admit()).toMatchObject({ admitted: true, code: null })
      await subject.mark(mark)
      expect(await subject.admit()).toMatchObject({ admitted: false, code, retryAfterMs: null })
    })

    it('is not refused by the mark degraded', async () => {
      const subject = await quick(await open())
      await subject.mark('degraded')
      expect(await subject.admit()).toMatchObject({ admitted: true, code: null })
    })

    it('is refused while the provider wants a pause, until exactly its end', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('throttled', 1, { retryAfterMs: 400 })
      await ground.advance(399)
      expect(await subject.admit()).toMatchObject({ admitted: false, code: 'throttled', retryAfterMs: 1 })
      await ground.advance(1)
      expect(await subject.admit()).toMatchObject({ admitted: true, trial: false })
    })

    it('is refused in half-open when all trials are taken, until the first lease ends', async () => {
      const ground = await open()
      const subject = await quick(ground, { halfOpenMaxTrials: 2 })
      await subject.openAndWait()
      await subject.admit('a')
      await ground.advance(200)
      await subject.admit('b')
      expect(await subject.admit('c')).toMatchObject({
        admitted: false,
        code: 'no_trial_free',
        reason: 'half-open: 2 of 2 trials under way',
        retryAfterMs: 300,
        trial: false,
      })
    })

    it('is refused in half-open during a pause: no trial then', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.openAndWait()
      const trial = await subject.admit()
      await subject.settle(trial, 'throttled', { retryAfterMs: 250 })
      expect(await subject.admit('b')).toMatchObject({
        admitted: false,
        code: 'throttled',
        retryAfterMs: 250,
      })
      await ground.advance(250)
      expect(await subject.admit('b')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('admission behind several blocks', () => {
    /** What blocks, each with its end in ms from now or without one. */
    interface Blocks {
      readonly mark?: number | null
      readonly open?: number | null
      readonly pause?: number
    }
    async function block(subject: Subject, blocks: Blocks): Promise<void> {
      if (blocks.open !== undefined) await subject.trip(blocks.open)
      if (blocks.mark !== undefined) await subject.mark('unhealthy', blocks.mark)
      if (blocks.pause !== undefined) await subject.record('throttled', 1, { retryAfterMs: blocks.pause })
    }

    it.each<[string, Blocks, string, number | null]>([
      [
        'a mark before the circuit before a pause',
        { mark: 100, open: 200, pause: 300 },
        'marked_unhealthy',
        300,
      ],
      ['a mark whose end is the latest', { mark: 300, open: 200, pause: 100 }, 'marked_unhealthy', 300],
      ['the circuit before a pause that ends later', { open: 200, pause: 300 }, 'circuit_open', 300],
      ['the circuit that ends later than a pause', { open: 300, pause: 200 }, 'circuit_open', 300],
      ['a mark before a pause', { mark: 100, pause: 50 }, 'marked_unhealthy', 100],
      ['a mark without an end', { mark: null, open: 200, pause: 300 }, 'marked_unhealthy', null],
      [
        'a circuit opened for good behind a mark with an end',
        { mark: 100, open: null },
        'marked_unhealthy',
        null,
      ],
      ['a circuit opened for good before a pause', { open: null, pause: 100 }, 'circuit_open', null],
    ])('names %s, and the latest of all ends', async (_, blocks, code, retryAfterMs) => {
      const subject = await quick(await open())
      await block(subject, blocks)
      expect(await subject.admit()).toMatchObject({ admitted: false, code, retryAfterMs })
    })
  })

  describe('with enforce: false', () => {
    const free = (ground: Ground) => quick(ground, { enforce: false })

    it.each<[string, (subject: Subject) => Promise<unknown>, string, number | null]>([
      ['an open circuit', (subject) => subject.record('unhealthy'), 'circuit_open', 1_000],
      ['a mark', (subject) => subject.mark('terminated'), 'marked_terminated', null],
      ['a pause', (subject) => subject.record('throttled', 1, { retryAfterMs: 70 }), 'throttled', 70],
    ])('%s lets through, and says what it would have done', async (_, block, code, retryAfterMs) => {
      const subject = await free(await open())
      await block(subject)
      expect(await subject.admit()).toMatchObject({ admitted: true, trial: false, code, retryAfterMs })
      expect((await subject.snapshot()).enforce).toBe(false)
    })

    it('a trial is taken, and who finds none free is let through and told', async () => {
      const subject = await free(await open())
      await subject.openAndWait()
      expect(await subject.admit('a')).toMatchObject({ admitted: true, trial: true, code: null })
      const other = await subject.admit('b')
      expect(other).toMatchObject({ admitted: true, trial: false, code: 'no_trial_free', retryAfterMs: 500 })
      expect((await subject.snapshot()).trials).toBe(1)
    })

    it('everything is still computed, counted and announced', async () => {
      const ground = await open()
      const subject = await free(ground)
      const opened = await subject.record('unhealthy')
      expect(kinds(opened)).toEqual(['opened'])
      expect(opened.snapshot).toMatchObject({ state: 'open', consecutiveFailures: 1 })
      await ground.advance(1_000)
      expect(kinds(await subject.admit())).toEqual(['half_opened'])
    })

    it('a probe is still refused by a mark or a pause: nobody waits for it', async () => {
      const subject = await free(await open())
      await subject.mark('unhealthy')
      expect(await subject.probe()).toMatchObject({ admitted: false, code: 'marked_unhealthy' })
    })
  })
}

/** Ten years. */
const FAR_AHEAD_MS = 315_360_000_000
