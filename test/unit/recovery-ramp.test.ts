import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTestBusbar, type TestBusbar, type TestBusbarOptions } from '../../src/testing.js'
import type { Decision, SettingsInput } from '../../src/index.js'
import { rampShare } from '../../src/rules/ramp.js'
import { explain } from '../../src/view/explain.js'
import { groupOf } from '../../src/view/group-view.js'
import { readView, retryIn } from '../../src/view/provider-view.js'
import { generator } from '../harness/random.js'

const RAMP_MS = 60_000
const RAMPED: SettingsInput = {
  breaker: { failureThreshold: 1, cooldownMs: 1_000, recoveryRampMs: RAMP_MS },
}

afterEach(() => vi.restoreAllMocks())

/** A provider whose circuit a trial has closed just now. */
async function recovered(settings = RAMPED, options: TestBusbarOptions = {}) {
  const busbar = createTestBusbar(options)
  const provider = await busbar.provider('openai', settings)
  await provider.recordFailure()
  await busbar.clock.advanceAsync(1_000)
  await provider.execute(() => 'trial')
  expect(await provider.state()).toBe('closed')
  return { busbar, provider }
}

describe('the share of calls that the ramp lets through', () => {
  it.each([
    [RAMP_MS, 0.1],
    [RAMP_MS * 0.75, 0.325],
    [RAMP_MS / 2, 0.55],
    [1, 0.999985],
    [0, 1],
    // Settings that changed meanwhile: a shorter ramp is not below a tenth, and one that is off is over.
    [2 * RAMP_MS, 0.1],
  ])('with %i ms left is %d', (leftMs, share) => {
    expect(rampShare(leftMs, RAMP_MS)).toBeCloseTo(share, 5)
    expect(rampShare(leftMs, 0)).toBe(1)
  })

  it('grows linearly, by what the callers themselves saw', async () => {
    vi.spyOn(Math, 'random').mockImplementation(generator(1))
    const { busbar, provider } = await recovered()
    const calls = 20_000
    const admitted: number[] = Array.from({ length: 10 }, () => 0)
    for (let call = 0; call < calls; call += 1) {
      const tenth = Math.floor((call / calls) * 10)
      const ran = await provider.execute(() => 1, { fallback: () => 0 })
      admitted[tenth] = (admitted[tenth] ?? 0) + ran
      await busbar.clock.advanceAsync(RAMP_MS / calls)
    }
    // In the middle of each tenth. 2 000 draws deviate by 0.011.
    for (const [tenth, n] of admitted.entries()) {
      const share = 0.1 + 0.9 * (tenth / 10 + 0.05)
      expect(Math.abs((n / calls) * 10 - share), `tenth ${tenth}: ${n}`).toBeLessThan(0.05)
    }
    expect(await provider.admit()).toMatchObject({ admitted: true })
  })
})

describe('the ramp in a worker', () => {
  /** What `draws` calls were told. */
  const draw = async (provider: { admit(): Promise<Decision> }, draws: number): Promise<Decision[]> =>
    Promise.all(Array.from({ length: draws }, () => provider.admit()))

  it('refuses with recovering, without asking the store, and asks to come back in a second', async () => {
    const { provider } = await recovered()
    const refused = (await draw(provider, 200)).filter(({ admitted }) => !admitted)
    expect(refused.length).toBeGreaterThan(100)
    expect(refused[0]).toEqual({
      admitted: false,
      code: 'recovering',
      reason: 'recovering: 10 % of calls are let through',
      retryAfterMs: 1_000,
      source: 'cache',
    })
    await expect(
      Promise.all(Array.from({ length: 200 }, () => provider.execute(() => 'ran'))),
    ).rejects.toMatchObject({ code: 'recovering', retryAfterMs: 1_000, providerId: 'openai' })
  })

  it('is drawn once a call in strict mode too, before the store is asked', async () => {
    const { provider } = await recovered(RAMPED, { consistency: 'strict' })
    const decisions = await draw(provider, 2_000)
    const admitted = decisions.filter((decision) => decision.admitted)
    // 200 are expected, and 20 if each were drawn for twice; the deviation is 13.
    expect(admitted.length).toBeGreaterThan(100)
    expect(admitted.length).toBeLessThan(300)
    expect(admitted[0]).toMatchObject({ source: 'redis' })
  })

  it('with enforce: false says what it would have refused', async () => {
    const { provider } = await recovered({ breaker: { ...RAMPED.breaker, enforce: false } })
    const decisions = await draw(provider, 200)
    expect(decisions.every(({ admitted }) => admitted)).toBe(true)
    expect(decisions.some((decision) => decision.admitted && decision.wouldRefuse === 'recovering')).toBe(
      true,
    )
    expect(decisions.some((decision) => decision.admitted && decision.wouldRefuse === undefined)).toBe(true)
  })

  it('is over at once where a reset ends it, and where the setting is taken back', async () => {
    const first = await recovered()
    await first.provider.reset({ reason: 'a test' })
    expect((await draw(first.provider, 100)).every(({ admitted }) => admitted)).toBe(true)
    const second = await recovered()
    await second.busbar.provider('openai', { breaker: { ...RAMPED.breaker, recoveryRampMs: 0 } })
    expect((await draw(second.provider, 100)).every(({ admitted }) => admitted)).toBe(true)
  })

  it('leaves the calls free once it is over, without a newer snapshot', async () => {
    const { busbar, provider } = await recovered()
    const { version } = await provider.snapshot()
    // It counts from when the snapshot came, which is a little later than the closing.
    await busbar.clock.advanceAsync(RAMP_MS + 10)
    expect((await draw(provider, 100)).every(({ admitted }) => admitted)).toBe(true)
    expect(await provider.snapshot()).toMatchObject({ version, rampForMs: 0, blockedBy: [] })
  })

  it('does not hold for calls that are decided without the store', async () => {
    const { busbar, provider } = await recovered()
    busbar.redis.down()
    const decisions = await draw(provider, 100)
    expect(decisions.at(-1)).toMatchObject({ admitted: true, source: 'fallback' })
    expect(decisions.every(({ admitted }) => admitted)).toBe(true)
    expect(provider.peek()).toMatchObject({ source: 'fallback', rampForMs: 0, blockedBy: [] })
  })
})

it('a member that recovers gets its share of its group, also where no other has its priority', async () => {
  vi.spyOn(Math, 'random').mockImplementation(generator(2))
  const { busbar } = await recovered({ ...RAMPED, group: 'llm' })
  await busbar.provider('anthropic', { group: 'llm', priority: 1 })
  const llm = busbar.group('llm')
  await llm.members()
  const calls = 2_000
  let first = 0
  for (let call = 0; call < calls; call += 1) if ((await llm.execute(({ id }) => id)) === 'openai') first += 1
  // The first tenth; 2 000 draws deviate by 0.007.
  expect(Math.abs(first / calls - 0.1)).toBeLessThan(0.03)
  expect(await groupSaid(busbar)).toEqual(['openai', 'anthropic'])
})

/** The members that `busbar status` says admit calls. */
async function groupSaid(busbar: TestBusbar): Promise<readonly string[]> {
  const views = ['openai', 'anthropic'].flatMap((id) => busbar.get(id) ?? []).map(readView)
  return groupOf('llm', await Promise.all(views)).admissible
}

describe('what is said of the ramp', () => {
  it('is in blockedBy and explain; the calls go through in part', async () => {
    const { busbar, provider } = await recovered()
    await busbar.clock.advanceAsync(RAMP_MS / 2)
    const view = await readView(provider)
    expect(view.snapshot.blockedBy).toEqual([
      { code: 'recovering', reason: 'recovering: 55 % of calls are let through', retryAfterMs: 1_000 },
    ])
    expect(retryIn(view.snapshot)).toBeUndefined()
    const { headline, sentences } = explain(view, [])
    expect(headline).toMatch(/its circuit is closed, and 55 % of calls go through\.$/)
    expect(sentences).toContainEqual({
      topic: 'ramp',
      text: 'Each worker lets 55 % of its calls through, all of them in 30s. An opening before that grows the cooldown on. All at once: busbar reset openai',
    })
    expect(await provider.shouldAllow()).toBe(true)
  })
})
