import { describe, expect, it, vi } from 'vitest'
import { testFleet } from '../harness/fleet.js'
import { apiContract } from './api.contract.js'
import { outcomeOf, rejection, withProvider, type OpenApi } from './api/test-busbar.js'

const open: OpenApi = async (options = {}) => {
  const fleet = await testFleet()
  const busbar = await fleet.connect({ consistency: 'strict', ...options })
  return {
    busbar,
    source: 'redis',
    advance: (ms) => fleet.clock.advance(ms),
    spend: (ms) => fleet.clock.advance(ms),
  }
}

apiContract('Redis, strict', open)

describe('a strict admission', () => {
  it('does not call when it is aborted while admission is under way', async () => {
    const { provider } = await withProvider(open)
    const caller = new AbortController()
    const fn = vi.fn()
    const call = provider.execute(fn, { signal: caller.signal })
    caller.abort('too slow')
    expect(await rejection(call)).toBe('too slow')
    expect(fn).not.toHaveBeenCalled()
    expect(await outcomeOf(provider)).toBe('ignored')
  })
})
