import { expect, it } from 'vitest'
import { createTestBusbar, createTestFleet } from '../../src/testing.js'
import type { Provider } from '../../src/index.js'
import { byForm } from '../harness/form.js'
import { figure } from '../harness/figure.js'
import { generator } from '../harness/random.js'

/**
 * A fleet that begins, and one whose circuit closes: failures arrive before successes then, for they are quicker and are sent
 * at once. At 5 % errors a rate of one half must not open.
 */
const TIMES = byForm({ short: 3, full: 20 })
const PROCESSES = 50
const STEP_MS = 20
const LASTS_MS = 2_000
/** Of one process, in a step. */
const CALLS = 0.4
const ERRORS = 0.05
const RULES = { failureThreshold: null, failureRate: 0.5, cooldownMs: 1_000 } as const

interface Late {
  readonly at: number
  readonly provider: Provider
}

async function traffic(
  providers: readonly Provider[],
  step: () => void,
  random: () => number,
): Promise<void> {
  const late: Late[] = []
  for (let at = 0; at < LASTS_MS; at += STEP_MS) {
    const calling = providers.filter(() => random() < CALLS)
    for (const provider of calling) {
      if (random() < ERRORS) await provider.recordFailure()
      else late.push({ at: at - 50 * Math.log(1 - random()), provider })
    }
    const due = late.filter((each) => each.at <= at)
    for (const each of due) {
      late.splice(late.indexOf(each), 1)
      await each.provider.recordSuccess()
    }
    step()
    await Promise.resolve()
  }
}

it(`${TIMES} cold starts and ${TIMES} closings of ${PROCESSES} processes do not open`, async () => {
  const random = generator(3)
  const opened = { start: 0, closing: 0 }
  for (let i = 0; i < TIMES; i += 1) {
    const fleet = createTestFleet()
    const busbars = Array.from({ length: PROCESSES }, () => createTestBusbar({ fleet }))
    const providers = await Promise.all(busbars.map((busbar) => busbar.provider('api', { breaker: RULES })))
    const [first] = providers
    if (first === undefined) throw new Error('there is no process')
    const openings = async () =>
      (await first.events()).filter(({ kind, actor }) => kind === 'opened' && actor === '').length
    await traffic(providers, () => fleet.clock.advance(STEP_MS), random)
    opened.start += await openings()
    await first.trip({ forMs: 100, actor: 'test' })
    fleet.clock.advance(101)
    const trial = await first.admit()
    if (trial.admitted) await trial.permit.settle('healthy')
    expect(await first.state()).toBe('closed')
    await traffic(providers, () => fleet.clock.advance(STEP_MS), random)
    opened.closing += (await openings()) - opened.start
    await Promise.all(busbars.map((busbar) => busbar.close()))
  }
  figure(7, `${TIMES} cold starts at 5 % errors: ${opened.start} opened; as many closings: ${opened.closing}`)
  expect(opened).toEqual({ start: 0, closing: 0 })
})
