import { expect, it } from 'vitest'
import { testFleet } from '../harness/fleet.js'

it('providers are listed the oldest first, however many there are and however many came at once', async () => {
  const fleet = await testFleet()
  const { namespace, redis } = fleet
  const busbar = await fleet.connect()
  const ids = Array.from({ length: 17_000 }, (_, i) => `p${String(i).padStart(5, '0')}`)
  // Two pages of the same time, after one of which each has its own.
  const timeOf = (i: number) => (i < 4_000 ? 1_000 + i : 6_000)
  for (let first = 0; first < ids.length; first += 1_000) {
    const some = ids.slice(first, first + 1_000)
    await redis.zadd(`${namespace}:providers`, ...some.flatMap((id, i) => [timeOf(first + i), id]))
  }
  expect(await busbar.providers()).toEqual(ids)
})
