import { expect, test } from 'vitest'
import { register } from '../../src/metrics/prometheus.js'
import { figure } from '../harness/figure.js'
import { byForm } from '../harness/form.js'
import { testFleet } from '../harness/fleet.js'
import { worker, type CallerActions } from './workers.js'

const ROUNDS = byForm({ short: 4, full: 40 })
const COOLDOWN_MS = 1_000
const KINDS = ['opened', 'half_opened', 'closed', 'reset'] as const

/** What a process is told may come to nothing, because it is killed meanwhile. */
const unlessKilled = (done: Promise<unknown>) => done.catch(() => undefined)

test(`the totals in the metrics are the transitions of the journal, though processes are killed in ${ROUNDS} rounds`, async () => {
  const fleet = await testFleet()
  const settings = { breaker: { failureThreshold: 1, cooldownMs: COOLDOWN_MS } }
  const start = () => worker<CallerActions>('caller', fleet, { settings, options: { consistency: 'strict' } })
  const callers = await Promise.all([start(), start(), start()])
  let openMs = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const victim = callers.shift()
    const failing = [...callers, ...(victim === undefined ? [] : [victim])].map((one) =>
      unlessKilled(one.ask('fail', 1)),
    )
    const [replacement] = await Promise.all([start(), victim?.kill(), Promise.all(failing)])
    callers.push(replacement)
    await fleet.clock.advance(COOLDOWN_MS)
    openMs += COOLDOWN_MS
    if (round % 3 === 2) await replacement.ask('control', 'reset')
    else {
      const name = `round ${round}`
      expect(await replacement.ask('admit', name)).toMatchObject({ admitted: true, trial: true })
      await replacement.ask('settle', name, round % 3 === 0 ? 'healthy' : 'timeout')
      if (round % 3 === 1) await replacement.ask('control', 'reset')
    }
  }

  const journal = await (await (await fleet.connect()).provider('openai')).events({ count: 1_000 })
  const happened = Object.fromEntries(
    KINDS.map((kind) => [kind, journal.filter((one) => one.kind === kind).length]),
  )
  const { registry } = register(await fleet.connect(), { fleet: true })
  const text = await registry.metrics()
  const read = (series: string) => Number(new RegExp(`^${series} (.*)$`, 'm').exec(text)?.[1])
  const counted = Object.fromEntries(
    KINDS.map((kind) => [kind, read(`busbar_transitions_total\\{provider="openai",kind="${kind}"\\}`)]),
  )
  figure(
    6,
    `transitions in the journal ${JSON.stringify(happened)}, in the metrics ${JSON.stringify(counted)}`,
  )
  expect(counted).toEqual(happened)
  expect(happened['opened']).toBeGreaterThanOrEqual(ROUNDS)
  expect(read('busbar_open_seconds_total\\{provider="openai"\\}')).toBe(openMs / 1_000)
})
