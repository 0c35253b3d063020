import { expect, it } from 'vitest'
import { figure } from '../harness/figure.js'
import { failover, groupFleet } from './group-failover.js'

it('four processes see no error while one of two providers answers 429 with a pause of 2 s, then 503 for 5 s', async () => {
  const run = await failover(await groupFleet(), 5_000)
  console.log(`calls to a in each second: ${run.perSecond.join(' ')}`, run.phases)
  expect(run.seen.flatMap(({ errors }) => errors)).toEqual([])
  const [both, throttled, down, , back] = run.phases
  const share = (phase = both) => (phase?.toA ?? 0) / ((phase?.toA ?? 0) + (phase?.toB ?? 0))
  expect(share(both)).toBeGreaterThan(0.2)
  expect(share(throttled)).toBeLessThan(0.25)
  const calls = run.seen.reduce((sum, each) => sum + each.calls, 0)
  const percent = (phase?: (typeof run.phases)[number]) => `${Math.round(share(phase) * 100)} %`
  figure(
    21,
    `${calls} calls of four processes, 0 errors; to the member that failed: ${percent(both)} before, ${percent(throttled)} while it asked for a pause, ${percent(down)} while it answered 503, ${percent(back)} after`,
  )
  // Three failures, and a trial each half second.
  expect(share(down)).toBeLessThan(0.1)
  expect(share(back)).toBeGreaterThan(0.2)
})

it('a group of which no member answers says of each why, and that its calls are refused', async () => {
  const fleet = await groupFleet()
  for (const upstream of Object.values(fleet.upstreams)) upstream.behave({ status: 503 })
  const [worker] = fleet.workers
  await worker?.ask('start')
  await expect
    .poll(async () => (await worker?.ask('order'))?.some(({ admissible }) => admissible), { timeout: 20_000 })
    .toBe(false)
  const dead = await worker?.ask('stop')
  const [last] = dead?.errors.slice(-1) ?? []
  expect(last).toMatchObject({ code: 'group_exhausted' })
  expect(last?.why?.map(({ id }) => id).sort()).toEqual(['a', 'b'])
  expect(last?.message).toMatch(/^GroupExhaustedError: no member of group llm is left: /)
})
