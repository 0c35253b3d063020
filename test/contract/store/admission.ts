import { describe, expect, it } from 'vitest'
import { kinds, quick, type TestStore, type TestProvider } from './test-provider.js'

/** Who may begin, who may not, and until when. */
export function admissionContract(open: () => Promise<TestStore>): void {
  describe('admission', () => {
    it('is free while the circuit is closed: no lease, no event, no new version', async () => {
      const testProvider = await quick(await open())
      const { generation, version } = await testProvider.snapshot()
      const reply = await testProvider.admit()
      expect(reply).toMatchObject({ admitted: true, code: null, reason: '', retryAfterMs: 0, trial: false })
      expect(reply).toMatchObject({ generation, settingsRevision: 1, markVersion: 0, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({ version, trials: 0 })
    })

    it('is refused while the circuit is open, until its deadline', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const opened = await testProvider.record('timeout')
      await testStore.advance(300)
      expect(await testProvider.admit()).toMatchObject({
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
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.openAndWait(-1)
      expect(await testProvider.admit()).toMatchObject({
        admitted: false,
        code: 'circuit_open',
        retryAfterMs: 1,
      })
      expect((await testProvider.snapshot()).state).toBe('open')
      await testStore.advance(1)
      expect((await testProvider.snapshot()).state).toBe('half_open')
      expect(await testProvider.admit()).toMatchObject({
        admitted: true,
        trial: true,
        code: null,
        retryAfterMs: 0,
      })
    })

    it('is refused without a known end when the circuit was opened by hand for good', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.trip(null)
      await testStore.advance(FAR_AHEAD_MS)
      expect(await testProvider.admit()).toMatchObject({
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
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark(mark, 800)
      await testStore.advance(300)
      const refused = { admitted: false, code, reason: `marked ${mark}: a test`, retryAfterMs: 500 }
      expect(await testProvider.admit()).toMatchObject(refused)
      await testStore.advance(500)
      expect(await testProvider.admit()).toMatchObject({ admitted: true, code: null })
      await testProvider.mark(mark)
      expect(await testProvider.admit()).toMatchObject({ admitted: false, code, retryAfterMs: null })
    })

    it('is not refused by the mark degraded', async () => {
      const testProvider = await quick(await open())
      await testProvider.mark('degraded')
      expect(await testProvider.admit()).toMatchObject({ admitted: true, code: null })
    })

    it('is refused while the provider wants a pause, until exactly its end', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('throttled', 1, { retryAfterMs: 400 })
      await testStore.advance(399)
      expect(await testProvider.admit()).toMatchObject({
        admitted: false,
        code: 'throttled',
        retryAfterMs: 1,
      })
      await testStore.advance(1)
      expect(await testProvider.admit()).toMatchObject({ admitted: true, trial: false })
    })

    it('is refused in half-open when all trials are taken, until the first lease ends', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { halfOpenMaxTrials: 2 })
      await testProvider.openAndWait()
      await testProvider.admit('a')
      await testStore.advance(200)
      await testProvider.admit('b')
      expect(await testProvider.admit('c')).toMatchObject({
        admitted: false,
        code: 'no_trial_free',
        reason: 'half-open: 2 of 2 trials under way',
        retryAfterMs: 300,
        trial: false,
      })
    })

    it('is refused in half-open during a pause: no trial then', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.openAndWait()
      const trial = await testProvider.admit()
      await testProvider.settle(trial, 'throttled', { retryAfterMs: 250 })
      expect(await testProvider.admit('b')).toMatchObject({
        admitted: false,
        code: 'throttled',
        retryAfterMs: 250,
      })
      await testStore.advance(250)
      expect(await testProvider.admit('b')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('admission behind several blocks', () => {
    /** What blocks, each with its end in ms from now or without one. */
    interface Blocks {
      readonly mark?: number | null
      readonly open?: number | null
      readonly pause?: number
    }
    async function block(testProvider: TestProvider, blocks: Blocks): Promise<void> {
      if (blocks.open !== undefined) await testProvider.trip(blocks.open)
      if (blocks.mark !== undefined) await testProvider.mark('unhealthy', blocks.mark)
      if (blocks.pause !== undefined)
        await testProvider.record('throttled', 1, { retryAfterMs: blocks.pause })
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
      const testProvider = await quick(await open())
      await block(testProvider, blocks)
      expect(await testProvider.admit()).toMatchObject({ admitted: false, code, retryAfterMs })
    })
  })

  describe('with enforce: false', () => {
    const free = (testStore: TestStore) => quick(testStore, { enforce: false })

    it.each<[string, (testProvider: TestProvider) => Promise<unknown>, string, number | null]>([
      ['an open circuit', (testProvider) => testProvider.record('unhealthy'), 'circuit_open', 1_000],
      ['a mark', (testProvider) => testProvider.mark('terminated'), 'marked_terminated', null],
      [
        'a pause',
        (testProvider) => testProvider.record('throttled', 1, { retryAfterMs: 70 }),
        'throttled',
        70,
      ],
    ])('%s lets through, and says what it would have done', async (_, block, code, retryAfterMs) => {
      const testProvider = await free(await open())
      await block(testProvider)
      expect(await testProvider.admit()).toMatchObject({ admitted: true, trial: false, code, retryAfterMs })
      expect((await testProvider.snapshot()).enforce).toBe(false)
    })

    it('a trial is taken, and who finds none free is let through and told', async () => {
      const testProvider = await free(await open())
      await testProvider.openAndWait()
      expect(await testProvider.admit('a')).toMatchObject({ admitted: true, trial: true, code: null })
      const other = await testProvider.admit('b')
      expect(other).toMatchObject({ admitted: true, trial: false, code: 'no_trial_free', retryAfterMs: 500 })
      expect((await testProvider.snapshot()).trials).toBe(1)
    })

    it('everything is still computed, counted and announced', async () => {
      const testStore = await open()
      const testProvider = await free(testStore)
      const opened = await testProvider.record('unhealthy')
      expect(kinds(opened)).toEqual(['opened'])
      expect(opened.snapshot).toMatchObject({ state: 'open', consecutiveFailures: 1 })
      await testStore.advance(1_000)
      expect(kinds(await testProvider.admit())).toEqual(['half_opened'])
    })

    it('a probe is still refused by a mark or a pause: nobody waits for it', async () => {
      const testProvider = await free(await open())
      await testProvider.mark('unhealthy')
      expect(await testProvider.probe()).toMatchObject({ admitted: false, code: 'marked_unhealthy' })
    })
  })
}

/** Ten years. */
const FAR_AHEAD_MS = 315_360_000_000
