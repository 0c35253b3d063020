import { expect, it } from 'vitest'
import { cutMatrix, NOT_DRAWN, steady } from '../../src/dashboard/store/matrix-cut.js'
import { matrixOf } from '../../src/view/matrix.js'

/** Every worker calls every provider; one worker in 100 fails at all of them. */
const matrix = (workers: number, providers: number) =>
  matrixOf(
    Array.from({ length: providers }, (_, p) => ({
      id: `p${p}`,
      state: 'closed',
      enforce: true,
      suspects: [],
      byWorker: {
        countedForMs: 60_000,
        others: null,
        workers: Array.from({ length: workers }, (_, w) => {
          const failures = w % 100 === 7 && p < 5 ? 9 : 0
          return { worker: `w${w}`, calls: 9, failures, inARow: failures, lastAgoMs: 1 }
        }),
      },
    })),
  )

it('a small matrix is drawn whole', () => {
  const { workers, providers } = cutMatrix(matrix(10, 8), { find: '', quiet: false })
  expect([workers.shown.length, providers.shown.length]).toEqual([10, 8])
  expect([workers.quiet, workers.failing, providers.quiet]).toEqual([0, 0, 0])
})

it('of a large one those that fail, and how many are left out', () => {
  const large = matrix(500, 40)
  const { workers, providers, cellOf } = cutMatrix(large, { find: '', quiet: false })
  expect(workers.shown.map(({ id }) => id)).toEqual(['w107', 'w207', 'w307', 'w407', 'w7'])
  expect([workers.failing, workers.quiet]).toEqual([0, 495])
  expect([providers.shown.length, providers.quiet]).toEqual([5, 35])
  expect(cellOf('w7', 'p0')).toMatchObject({ calls: 9, failures: 9, failing: true })
  const all = cutMatrix(large, { find: '', quiet: true })
  expect([all.workers.shown.length, all.workers.quiet, all.providers.shown.length]).toEqual([40, 460, 30])
})

it('a name that is looked for is drawn whatever it does', () => {
  const { workers, providers } = cutMatrix(matrix(500, 40), { find: 'w123', quiet: false })
  expect(workers.shown.map(({ id }) => id)).toEqual(['w123'])
  expect([workers.quiet, providers.shown.length]).toEqual([0, 5])
})

it('nothing moves while none becomes better or worse, or the counting has just begun', () => {
  const { workers } = matrix(4, 2)
  const first = steady(workers, NOT_DRAWN, false)
  const ids = first.items.map(({ id }) => id)
  const again = steady([...workers].reverse(), first.drawn, false)
  expect(again.items.map(({ id }) => id)).toEqual(ids)
  const [one, ...rest] = workers
  if (one === undefined) throw new Error('no workers')
  const worse = [...rest, { ...one, verdict: 'bad' as const }]
  expect(steady(worse, again.drawn, false).items).toEqual(worse)
  const held = steady(worse, again.drawn, true)
  expect(held.items.map(({ id }) => id)).toEqual(ids)
  expect(steady(worse, held.drawn, false).items).toEqual(worse)
})
