import { expect, it, onTestFinished } from 'vitest'
import { checkRateWindow } from '../../src/cli/doctor/rate-window.js'
import type { Inspection, SettingsInput } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { readView } from '../../src/view/provider-view.js'

const MINUTE = 60_000
const RATE = { failureRate: 0.5 }

/** What the doctor says after so many calls in a minute, and a burst at its end. */
async function found(settings: SettingsInput, { calls = 0, burst = 0, workers = 1 } = {}) {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('api', settings)
  busbar.clock.advance(2)
  for (let i = 0; i < calls; i += 1) {
    busbar.clock.advance(MINUTE / calls)
    await provider.recordSuccess()
  }
  if (calls === 0) busbar.clock.advance(MINUTE)
  for (let i = 0; i < burst; i += 1) await provider.recordSuccess()
  // The checks read the processes alone.
  const facts = { workers: Array.from({ length: workers }, () => ({})) } as unknown as Inspection
  return checkRateWindow(facts, await readView(provider))
}

const levelsOf = (findings: Awaited<ReturnType<typeof found>>) => findings.map(({ level }) => level)

it('a window that so few calls enter that no rate is judged is a note, with the width that would do', async () => {
  const [note, ...more] = await found({ breaker: RATE }, { calls: 60 })
  expect(more).toEqual([])
  expect(note).toMatchObject({
    level: 'note',
    check: 'settings api',
    found:
      'about 10 calls come in breaker.rateWindowMs 10s, and below breaker.minimumCalls 20 no rate is judged',
    advice:
      'With so few calls a failureThreshold of 3 to 5 is better than a rate; else make the window 20s or longer.',
  })
})

it('it is a warning where nothing else opens the circuit, and no width is advised that is not allowed', async () => {
  const breaker = { ...RATE, failureThreshold: null, minimumCalls: 100 }
  const [warning] = await found({ breaker }, { calls: 6 })
  expect(warning).toMatchObject({
    level: 'warn',
    advice: 'With so few calls a failureThreshold of 3 to 5 is better than a rate.',
  })
})

it.each<[string, SettingsInput, { calls?: number; burst?: number }]>([
  ['as many calls as are judged', { breaker: RATE }, { calls: 120 }],
  ['a burst that is judged now', { breaker: RATE }, { calls: 6, burst: 20 }],
  ['no calls at all', { breaker: RATE }, {}],
  ['no rate', { slowMs: 5_000 }, { calls: 6 }],
  [
    'results of probes alone',
    { breaker: RATE, probe: { kind: 'heartbeat', intervalMs: 10_000, ttlMs: 1_000 } },
    { calls: 6 },
  ],
])('nothing is found with %s', async (_, settings, past) => {
  expect(await found(settings, past)).toEqual([])
})

it('nor before the circuit has been closed for as long as the history reaches back', async () => {
  expect(await found({ breaker: RATE, history: { windowMs: 2 * MINUTE } }, { calls: 6 })).toEqual([])
})

it('a slowMs above what a window must be old is a note: quick failures are judged alone', async () => {
  const slow = (slowMs: number, rateWindowMs: number) =>
    found({ slowMs, breaker: { ...RATE, rateWindowMs, minimumCalls: 2 } }, { calls: 120 })
  const [note] = await slow(5_000, 20_000)
  expect(note).toMatchObject({
    level: 'note',
    found:
      'a good call may take slowMs 5s, and a rate is judged after 2s of breaker.rateWindowMs 20s, when only quick failures have come',
    advice: 'Where calls usually take longer than 1.6s, make the window 12 times as long as they take.',
  })
  expect(levelsOf(await slow(1_001, 1_000))).toEqual(['note'])
  expect(await slow(1_000, 1_000)).toEqual([])
  expect(await slow(5_000, 50_000)).toEqual([])
})

it('a window of less than four pauses of a large fleet is warned of', async () => {
  const breaker = { ...RATE, rateWindowMs: 4_000, minimumCalls: 2 }
  expect(levelsOf(await found({ breaker }, { calls: 60, workers: 900 }))).toEqual([])
  expect(levelsOf(await found({ breaker }, { calls: 60, workers: 901 }))).toEqual(['warn'])
})
