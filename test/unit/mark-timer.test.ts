import { expect, it, onTestFinished } from 'vitest'
import { createTestBusbar, createTestFleet } from '../../src/testing.js'

const resumed = (events: readonly { readonly kind: string; readonly reason: string }[]) =>
  events.filter(({ kind }) => kind === 'resumed').map(({ reason }) => reason)

it('the end of a mark is announced when it comes, though nobody calls, and once', async () => {
  const fleet = createTestFleet()
  const workers = [1, 2, 3].map(() => createTestBusbar({ fleet }))
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.close()))
  })
  const providers = await Promise.all(workers.map((worker) => worker.provider('api')))
  const [first] = providers
  await first?.markUnhealthy({ forMs: 60_000 })
  await fleet.clock.advanceAsync(59_999)
  expect(resumed((await first?.events()) ?? [])).toEqual([])
  await fleet.clock.advanceAsync(1)
  expect(resumed((await first?.events()) ?? [])).toEqual(['the mark ended'])
  expect(await first?.snapshot()).toMatchObject({ mark: null, markEnded: false })
  await fleet.clock.advanceAsync(60_000)
  expect(resumed((await first?.events()) ?? [])).toEqual(['the mark ended'])
})

it('a mark that was replaced is announced at the end of the new one, and one that was cleared at none', async () => {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('api')
  await provider.markUnhealthy({ forMs: 1_000 })
  await provider.markDegraded({ forMs: 5_000 })
  await busbar.clock.advanceAsync(4_999)
  expect(resumed(await provider.events())).toEqual([])
  await busbar.clock.advanceAsync(1)
  expect(resumed(await provider.events())).toEqual(['the mark ended'])
  await provider.markUnhealthy({ forMs: 1_000 })
  await provider.resume({ reason: 'well again' })
  await busbar.clock.advanceAsync(2_000)
  expect(resumed(await provider.events())).toEqual(['the mark ended', 'well again'])
})

it('one that lasts longer than a timer can is not announced before its end', async () => {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('api')
  await provider.markUnhealthy({ forMs: 2 * 86_400_000 })
  await busbar.clock.advanceAsync(86_400_000)
  expect(resumed(await provider.events())).toEqual([])
  await busbar.clock.advanceAsync(86_400_000)
  expect(resumed(await provider.events())).toEqual(['the mark ended'])
})
