import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'

test('a silence of all workers shows to a reader, and ends with the first that is back', async () => {
  const fleet = realFleet()
  const [reader, first, second] = [await fleet.join(), await fleet.join(), await fleet.join()]
  const functions = { model: () => true }
  const worker = await first.startProbes({ functions })
  const provider = await reader.provider('a', {
    probe: { kind: 'function', name: 'model', intervalMs: 2_000 },
  })
  await eventually(async () => (await provider.snapshot()).lastProbeAt !== null, 'it is probed')
  await worker.close()
  await eventually(async () => (await provider.snapshot()).stale, 'it is stale')
  expect((await provider.events()).map(({ kind }) => kind)).toEqual(['registered'])
  await second.startProbes({ functions })
  await eventually(async () => !(await provider.snapshot()).stale, 'it is probed')
  // Whether it was told before the result came is a race that neither side has to win; twice it never is.
  const kinds = (await provider.events()).map(({ kind }) => kind)
  expect(['registered', 'registered probe_overdue']).toContain(kinds.join(' '))
})
