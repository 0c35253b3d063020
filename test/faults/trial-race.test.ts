import { expect, test } from 'vitest'
import { describeRace, trialRace } from '../harness/trial-race.mjs'
import { figure } from '../harness/figure.js'
import { byForm } from '../harness/form.js'
import { testFleet } from '../harness/fleet.js'
import { kindsOf } from './workers.js'

const CYCLES = byForm({ short: 50, full: 200 })
const PROCESSES = 8

test(`of 8 processes let go together, one gets the trial, ${CYCLES} times over`, async () => {
  const { url, namespace } = await testFleet()
  const luaDir = process.env['BUSBAR_TEST_LUA_DIR']
  const race = await trialRace({ url, namespace, luaDir, cycles: CYCLES, processes: PROCESSES })
  figure(2, describeRace(race))
  expect(new Set(race.pids).size).toBe(PROCESSES)
  expect(race).toMatchObject({ admitted: CYCLES, refused: CYCLES * (PROCESSES - 1), overlaps: 0, odd: [] })
  // One transition each, however many raced for it.
  const kinds = kindsOf(race.events)
  const count = (kind: string) => kinds.filter((other) => other === kind).length
  expect([count('half_opened'), count('closed')]).toEqual([CYCLES, CYCLES / 2])
  expect(count('opened')).toBe(CYCLES + 1)
})
