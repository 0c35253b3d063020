import { describe, expect, it } from 'vitest'
import type { SettingsInput } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { testFleet } from '../harness/fleet.js'
import { act, answersTo, WITNESS_ROWS } from '../harness/reference-rows.js'

/** The rules (through memory) and the Lua (through Redis) against rows worked out by hand from the reference. */

async function onTheRules(settings: SettingsInput) {
  const busbar = createTestBusbar()
  const provider = await busbar.provider('agent', settings)
  const advance = (ms: number) => {
    busbar.clock.advance(ms)
    return Promise.resolve()
  }
  return { provider, advance }
}

async function onRedis(settings: SettingsInput) {
  const fleet = await testFleet()
  const busbar = await fleet.connect()
  const provider = await busbar.provider('agent', settings)
  return { provider, advance: (ms: number) => fleet.clock.advance(ms) }
}

const GROUNDS = [
  ['the rules', onTheRules],
  ['Redis', onRedis],
] as const

describe.each(GROUNDS)('%s answer as the reference does', (_, open) => {
  it.each(WITNESS_ROWS)('$why', async (row) => {
    const { breaker, history, actions } = row
    const settings = {
      ...(breaker === undefined ? {} : { breaker }),
      ...(history === undefined ? {} : { history }),
    }
    const { provider, advance } = await open(settings)
    await act(provider, advance, actions)
    const { circuit, rate, assess, size } = row
    expect(await answersTo(provider, row)).toEqual({
      ...(circuit === undefined ? {} : { circuit }),
      rate,
      assess,
      ...(size === undefined ? {} : { size }),
    })
  })
})

it('the witness has 30 rows, each with a reason of its own', () => {
  expect(WITNESS_ROWS).toHaveLength(30)
  expect(new Set(WITNESS_ROWS.map((row) => row.why)).size).toBe(30)
})
