import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isBusbarError } from '../../src/index.js'
import { deferred } from '../harness/deferred.js'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'

const IDS = Array.from({ length: 300 }, (_, index) => `agent-${index}`)

describe('a provider that another process removed', () => {
  it('is let go, with its handle, unless the user holds it; then that is the one that comes back', async () => {
    const { join } = realFleet()
    const [mine, other] = [await join(), await join()]
    const held = await mine.provider('held', { breaker: { failureThreshold: 1 } })
    await mine.provider('left')
    await Promise.all([other.remove('held'), other.remove('left')])
    await eventually(() => mine.get('held') === undefined && mine.get('left') === undefined, 'both are gone')
    const error: unknown = await held.execute(() => 1).catch((thrown: unknown) => thrown)
    expect(isBusbarError(error, 'provider_removed')).toBe(true)
    expect(await mine.provider('held', { breaker: { failureThreshold: 1 } })).toBe(held)
    expect(await held.execute(() => 1)).toBe(1)
    expect(mine.get('held')).toBe(held)
  })

  it('comes back as well when another process registers it', async () => {
    const { join } = realFleet()
    const [mine, other] = [await join(), await join()]
    const held = await mine.provider('openai')
    await other.remove('openai')
    await eventually(() => mine.get('openai') === undefined, 'it is gone')
    await other.provider('openai')
    await eventually(() => mine.get('openai') === held, 'it is back')
    expect(await held.execute(() => 1)).toBe(1)
  })
})

describe('registrations of many providers at once', () => {
  it('all arrive, each with the settings as they were when it was called', async () => {
    const { join } = realFleet()
    const busbar = await join()
    const settings = { breaker: { failureThreshold: 1 } }
    const registered = IDS.map((id, index) => {
      settings.breaker.failureThreshold = index + 1
      return busbar.provider(id, settings)
    })
    settings.breaker.failureThreshold = 7
    const handles = await Promise.all(registered)
    expect(handles.map((handle) => handle.settings.breaker.failureThreshold)).toEqual(
      IDS.map((_, index) => index + 1),
    )
    expect(await busbar.providers()).toHaveLength(IDS.length)
  })

  it('are what connect does with its providers, and one that makes no sense is its error', async () => {
    const { join } = realFleet()
    const providers = Object.fromEntries(IDS.map((id) => [id, { slowMs: 5 }]))
    const busbar = await join({ providers })
    expect(busbar.get('agent-299')?.settings.slowMs).toBe(5)
    const wrong = { ...providers, odd: { slowMs: -1 } }
    await expect(join({ providers: wrong })).rejects.toMatchObject({
      code: 'settings_invalid',
      path: 'slowMs',
    })
  })
})

describe('one signal for many', () => {
  it('has one listener while calls and listeners live, and none after them', async () => {
    const { join } = realFleet()
    const busbar = await join()
    const provider = await busbar.provider('openai')
    const life = new AbortController()
    const listeners = () => getEventListeners(life.signal, 'abort').length
    const under = deferred<undefined>()
    const calls = Array.from({ length: 50 }, () =>
      provider.execute(() => under.promise, { signal: life.signal }),
    )
    const off = Array.from({ length: 50 }, () =>
      busbar.on('opened', () => undefined, { signal: life.signal }),
    )
    await eventually(() => listeners() === 1, 'the calls have begun')
    under.resolve(undefined)
    await Promise.all(calls)
    expect(listeners()).toBe(1)
    for (const takeOff of off) takeOff()
    expect(listeners()).toBe(0)
  })

  it('ends every call that waits for it, with its reason', async () => {
    const { join } = realFleet()
    const provider = await (await join()).provider('openai')
    const life = new AbortController()
    const calls = Array.from({ length: 50 }, () =>
      provider
        .execute(() => new Promise<never>(() => undefined), { signal: life.signal })
        .catch((e: unknown) => e),
    )
    life.abort('enough')
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['enough']))
  })
})
