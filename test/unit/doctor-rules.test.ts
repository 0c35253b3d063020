import { describe, expect, it } from 'vitest'
import { checkRules } from '../../src/cli/doctor/rule-advice.js'
import type { SettingsInput } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { readView } from '../../src/view/provider-view.js'

const NOBODY = { workers: [] }
const workers = (n: number) => ({
  workers: Array.from({ length: n }, (_, i) => ({ id: `worker-${i}`, lastSeenAgoMs: 0 })),
})

/** The provider after so many calls in a minute. */
async function viewOf(breaker: SettingsInput['breaker'], calls = 0) {
  const busbar = createTestBusbar()
  const provider = await busbar.provider('openai', { breaker })
  for (let call = 0; call < calls; call += 1) await provider.execute(() => 1)
  return readView(provider)
}

const found = async (
  breaker: SettingsInput['breaker'],
  calls = 0,
  facts: Parameters<typeof checkRules>[0] = NOBODY,
) => checkRules(facts, [await viewOf(breaker, calls)]).map((one) => `${one.level} ${one.found}`)

describe('the doctor advises about rules', () => {
  it('a threshold of 3 above 10 calls/s, and not at 10', async () => {
    expect(await found({ failureThreshold: 3 }, 600)).toEqual([])
    expect(await found({ failureThreshold: 3 }, 660)).toEqual([
      'warn openai: failureThreshold 3 at 11 calls/s',
    ])
    expect(await found({ failureThreshold: 4 }, 660)).toEqual([])
  })

  it('a rate below 0.2', async () => {
    expect(await found({ failureRate: 0.2 })).toEqual([])
    expect(await found({ failureRate: 0.19, degradedRate: 0.1 })).toEqual([
      'warn openai: failureRate 0.19, degradedRate 0.1',
    ])
  })

  it('a rate without a threshold beside it', async () => {
    expect(await found({ failureThreshold: null, failureRate: 0.5 })).toEqual([
      'note openai: failureThreshold is null',
    ])
  })

  it('a window that is shorter than four pauses between batches', async () => {
    const breaker = { failureRate: 0.5, rateWindowMs: 4_000 }
    expect(await found(breaker, 0, workers(900))).toEqual([])
    expect(await found(breaker, 0, workers(1_800))).toEqual([
      'warn openai: rateWindowMs 4s, and 1800 workers report every 2s',
    ])
    expect(await found({ rateWindowMs: 1_000 }, 0, workers(1_800))).toEqual([])
  })

  it('five providers at most, and how many more there are', async () => {
    const view = await viewOf({ failureRate: 0.1 })
    const advice = checkRules(
      NOBODY,
      Array.from({ length: 7 }, () => view),
    )
    expect(advice).toHaveLength(6)
    expect(advice.at(-1)?.found).toBe('and so it is with 2 other providers')
  })
})
