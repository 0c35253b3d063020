import { describe, expect, it } from 'vitest'
import { isBusbarError, type Provider } from '../../src/index.js'
import { deferred } from '../harness/deferred.js'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'

/** A call under way, and what ends it. */
function callOf(provider: Provider, options?: { readonly timeoutMs: number }) {
  const under = deferred<string>()
  const begun = deferred<undefined>()
  const ended = provider.execute(() => {
    begun.resolve(undefined)
    return under.promise
  }, options)
  return { begun: begun.promise, ended, end: under.resolve, fail: under.reject }
}

const codeOf = (error: unknown) => (isBusbarError(error) ? error.code : error)

describe('close', () => {
  it('lets calls under way end, writes their outcomes, and refuses new calls at once', async () => {
    const { join } = realFleet()
    const [closing, other] = [await join(), await join()]
    const provider = await closing.provider('openai', { breaker: { failureThreshold: 100 } })
    const calls = [callOf(provider), callOf(provider, { timeoutMs: 60_000 }), callOf(provider)]
    await Promise.all(calls.map((call) => call.begun))
    let closed = false
    const close = closing.close({ timeoutMs: 60_000 }).then(() => (closed = true))
    const refused = await Promise.all([
      provider.execute(() => 1).catch(codeOf),
      provider.execute(() => 1, { timeoutMs: 1_000 }).catch(codeOf),
      provider.admit().catch(codeOf),
    ])
    expect(refused).toEqual(['busbar_closed', 'busbar_closed', 'busbar_closed'])
    expect(closed).toBe(false)
    calls[0]?.end('done')
    calls[1]?.end('done')
    calls[2]?.fail(new Error('down'))
    const ended = await Promise.allSettled(calls.map((call) => call.ended))
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await close
    expect(closing.counters.outcomesLost).toBe(0)
    expect(await (await other.provider('openai')).historySize()).toBe(3)
  })

  it('waits no longer than its limit, gives the lease of a trial back, and counts what comes later', async () => {
    const { join } = realFleet()
    const [closing, other] = [await join(), await join()]
    const breaker = { failureThreshold: 1, cooldownMs: 1, trialLeaseMs: 3_600_000 }
    const provider = await closing.provider('openai', { breaker })
    const theirs = await other.provider('openai')
    await provider.recordFailure()
    await eventually(async () => (await provider.state()) === 'half_open', 'half-open')
    const trial = callOf(provider)
    await trial.begun
    expect(await theirs.snapshot()).toMatchObject({ state: 'half_open', trials: 1 })
    await closing.close({ timeoutMs: 50 })
    expect(await theirs.snapshot()).toMatchObject({ state: 'half_open', trials: 0 })
    trial.end('done')
    expect(await trial.ended).toBe('done')
    expect(closing.counters.outcomesLost).toBe(1)
    expect(await theirs.snapshot()).toMatchObject({ state: 'half_open', historyTotal: 1 })
  })

  it('gives back the lease of a permit that nobody settled, and does not wait for it', async () => {
    const { join } = realFleet()
    const [closing, other] = [await join(), await join()]
    const breaker = { failureThreshold: 1, cooldownMs: 1, trialLeaseMs: 3_600_000 }
    const provider = await closing.provider('openai', { breaker })
    await provider.recordFailure()
    await eventually(async () => {
      const decision = await provider.admit()
      return decision.admitted && decision.permit.trial
    }, 'a trial')
    await closing.close({ timeoutMs: 3_600_000 })
    expect(await (await other.provider('openai')).snapshot()).toMatchObject({ trials: 0 })
  })

  it('answers whoever waits for an outcome that can no longer be written', async () => {
    const { join } = realFleet()
    const closing = await join({ consistency: 'strict' })
    const provider = await closing.provider('openai')
    const written = Array.from({ length: 50 }, () => provider.recordFailure().catch(codeOf))
    await closing.close({ timeoutMs: 0 })
    const ends = await Promise.all(written)
    expect(
      ends.every((end) => end === undefined || end === 'busbar_closed' || end === 'redis_unavailable'),
    ).toBe(true)
  })
})

describe('reading', () => {
  it('events comes after what this process recorded before', async () => {
    const { join } = realFleet()
    const busbar = await join({ flushIntervalMs: 10_000 })
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 2 } })
    // The second waits for the first, as it is in the same process.
    void provider.recordFailure()
    void provider.recordFailure()
    expect((await provider.events()).map(({ kind }) => kind)).toContain('opened')
    expect((await provider.history()).reduce((sum, { count }) => sum + count, 0)).toBe(2)
  })
})
