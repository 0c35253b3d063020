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
