import { expect, it } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { runFamily } from '../harness/family-run.js'
import { testFleet } from '../harness/fleet.js'

it('a family of many keys keeps few handles, and its idle keys leave Redis', async () => {
  await runFamily(400)
})

it('a member that one process holds and another uses stays; with settings that changed it still leaves', async () => {
  const fleet = await testFleet()
  const { namespace, redis, clock } = fleet
  const [one, two] = [await fleet.connect(), await fleet.connect()]
  const limits = { idleExpireMs: 2_000 }
  const [mine, theirs] = [one.family('t', limits), two.family('t', { ...limits, slowMs: 50 })]
  const handle = await mine.get('a')
  await theirs.get('a')
  const config = `${namespace}:{t/a}:config`
  expect(await redis.hmget(config, 'idle_ms', 'slowMs')).toEqual(['2250', '50'])
  for (let i = 0; i < 8; i += 1) {
    await clock.advance(500)
    await (await theirs.get('a')).execute(() => i)
    const idleAt = async () => Number(await redis.hget(config, 'idle_at_ms'))
    await eventually(async () => (await idleAt()) > clock.nowMs + 1_000, 'the use is known')
  }
  expect(await handle.execute(() => 1)).toBe(1)
  await eventually(async () => {
    await clock.advance(2_500)
    return (await redis.keys(`${namespace}:{t/a}:*`)).length === 0
  }, 'it is gone')
  await eventually(() => one.get('t/a') === undefined && two.get('t/a') === undefined, 'both know it')
  expect(await (await mine.get('a')).execute(() => 2)).toBe(2)
})
