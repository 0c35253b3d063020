import { describe, expect, it, vi } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { testFleet } from '../harness/fleet.js'
import { apiContract } from './api.contract.js'
import { logbook, QUICK, rejection, type OpenApi } from './api/test-busbar.js'

const open: OpenApi = async (options = {}) => {
  const fleet = await testFleet()
  const busbar = await fleet.connect(options)
  return {
    busbar,
    source: 'cache',
    advance: (ms) => fleet.clock.advance(ms),
    spend: (ms) => fleet.clock.advance(ms),
  }
}

apiContract('Redis', open)

describe('two processes on one Redis', () => {
  const pair = async () => {
    const fleet = await testFleet()
    const [one, other] = [
      await fleet.connect({ workerId: 'one' }),
      await fleet.connect({ workerId: 'other' }),
    ]
    const [mine, theirs] = [await one.provider('openai', QUICK), await other.provider('openai')]
    return { fleet, one, other, mine, theirs }
  }

  it('share the circuit, the history and the settings', async () => {
    const { mine, theirs } = await pair()
    expect(theirs.settings).toEqual(mine.settings)
    await mine.recordFailure()
    expect(await theirs.state()).toBe('open')
    expect(await theirs.admit()).toMatchObject({ admitted: false, code: 'circuit_open' })
    expect(await theirs.historySize()).toBe(1)
    await theirs.reset()
    expect(await mine.state()).toBe('closed')
  })

  it("hear of each other's events, and know the new snapshot without asking", async () => {
    const { other, mine, theirs } = await pair()
    const heard = vi.fn()
    other.on('opened', (event) => heard(event.worker, event.reason))
    await mine.recordFailure()
    await eventually(() =>
      expect(heard.mock.calls).toEqual([['one', '1 consecutive failures, last: unhealthy']]),
    )
    expect(theirs.peek()).toMatchObject({ state: 'open' })
  })

  it('log a transition where it was made, and nowhere else', async () => {
    const fleet = await testFleet()
    const [winner, loser] = [logbook(), logbook()]
    const one = await fleet.connect({ logger: winner.logger })
    const other = await fleet.connect({ logger: loser.logger })
    const heard = vi.fn()
    other.on('opened', heard)
    await other.provider('openai', QUICK)
    await (await one.provider('openai')).recordFailure()
    await eventually(() => expect(heard.mock.calls.length).toBe(1))
    const warned = (lines: [string, object, string][]) => lines.filter(([level]) => level === 'warn').length
    expect([warned(winner.lines), warned(loser.lines)]).toEqual([1, 0])
  })

  it('both learn of a removal', async () => {
    const { one, mine, theirs } = await pair()
    await one.remove('openai')
    expect(await rejection(theirs.recordFailure())).toMatchObject({ code: 'provider_removed' })
    expect(await rejection(mine.recordFailure())).toMatchObject({ code: 'provider_removed' })
    expect(await one.providers()).toEqual([])
  })

  it('see the same members of a group, whichever of them registers, changes or removes one', async () => {
    const { one, other } = await pair()
    const group = other.group('llm')
    const shows = (...ids: string[]) =>
      eventually(() => expect(group.order().map(({ id }) => id)).toEqual(ids))
    expect(await group.members()).toEqual([])
    await one.provider('a', { group: 'llm', priority: 1 })
    await shows('a')
    await one.provider('b', { group: 'llm', priority: 2 })
    await shows('a', 'b')
    await one.provider('b', { group: 'llm' })
    await shows('b', 'a')
    await one.apply('a', { group: 'other' })
    await shows('b')
    await one.remove('b')
    await shows()
    expect(await rejection(group.execute(() => 1))).toMatchObject({ code: 'group_exhausted', attempts: [] })
    await one.provider('b', { group: 'llm' })
    await shows('b')
    expect(await group.execute(({ id }) => id)).toBe('b')
  })

  it('give one trial, whoever asks first', async () => {
    const { fleet, mine, theirs } = await pair()
    await mine.recordFailure()
    await fleet.clock.advance(1_000)
    const decisions = await Promise.all([mine.admit(), theirs.admit(), mine.admit(), theirs.admit()])
    expect(decisions.filter((decision) => decision.admitted)).toHaveLength(1)
  })

  it('learn of settings that the other changed', async () => {
    const { one, theirs } = await pair()
    await one.provider('openai', { history: { degradationThreshold: 0.1 } })
    await theirs.snapshot()
    expect(theirs.settings.history.degradationThreshold).toBe(0.1)
  })
})

describe('a process whose Redis jumped ahead in time', () => {
  it('still removes: a command that ran too late is not taken for one that was carried out', async () => {
    const fleet = await testFleet()
    const busbar = await fleet.connect()
    await busbar.provider('openai')
    await fleet.clock.advance(60_000)
    await busbar.remove('openai')
    expect(await busbar.providers()).toEqual([])
    expect(await fleet.redis.keys(`${fleet.namespace}:{openai}:*`)).toEqual([])
  })

  it('still admits, records and resets: each command is sent again in time', async () => {
    const fleet = await testFleet()
    const busbar = await fleet.connect()
    const provider = await busbar.provider('openai', QUICK)
    await fleet.clock.advance(60_000)
    expect(await provider.admit()).toMatchObject({ admitted: true })
    await fleet.clock.advance(60_000)
    await provider.trip()
    await fleet.clock.advance(60_000)
    await provider.reset()
    expect(await provider.state()).toBe('closed')
  })
})

describe('a process whose Redis was wiped', () => {
  it('registers again by itself, with its settings, and an open circuit stays open', async () => {
    const fleet = await testFleet()
    const busbar = await fleet.connect()
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 1, cooldownMs: 60_000 } })
    await provider.recordFailure()
    const keys = await fleet.redis.keys(`${fleet.namespace}:*`)
    await fleet.redis.unlink(keys.filter((key) => !key.endsWith(':test-clock')))
    expect(await provider.admit()).toMatchObject({ admitted: false, code: 'circuit_open' })
    expect(await provider.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 0 })
    expect(provider.settings.breaker.cooldownMs).toBe(60_000)
    expect(await busbar.providers()).toEqual(['openai'])
  })
})
