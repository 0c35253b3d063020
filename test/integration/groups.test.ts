import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { failover, groupFleet } from './group-failover.js'

it('four processes see no error while one of two providers answers 429, then 503, and it gets its share back', async () => {
  const fleet = await groupFleet()
  const run = await failover(fleet, 1_500)
  console.log(`calls to a in each second: ${run.perSecond.join(' ')}`, run.phases)
  expect(run.seen.flatMap(({ errors }) => errors)).toEqual([])
  const [both, throttled, down, , back] = run.phases
  const share = (phase = both) => (phase?.toA ?? 0) / ((phase?.toA ?? 0) + (phase?.toB ?? 0))
  expect(share(both)).toBeGreaterThan(0.2)
  // Those under way when the pause was announced, and those of a process that hears it late.
  expect(share(throttled)).toBeLessThan(0.25)
  expect(share(down)).toBeLessThan(0.25)
  expect(share(back)).toBeGreaterThan(0.2)
})

it('examples/failover.mjs does what it says', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const env = { ...process.env, REDIS_URL: server.url }
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['examples/failover.mjs'], { env, timeout: 60_000 })
  const said = stdout.trim().split('\n')
  expect(said).toEqual([
    'both answer: a completion by openai',
    'openai asks for 1 s: a completion by anthropic',
    'the next call does not reach it: a completion by anthropic, after 2 calls of openai',
    expect.stringMatching(
      /^both ask for a pause: no member of group llm is left: anthropic \(HTTP 429\), openai \(throttled\); ask again in 1 s$/,
    ),
    'its pause is over: a completion by openai',
  ])
})
