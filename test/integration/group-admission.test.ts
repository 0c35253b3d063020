import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { connectWith } from '../../src/connect.js'
import { startRedis } from '../../src/embedded/index.js'
import { connect, type Busbar, type Decision, type Provider, type SettingsInput } from '../../src/index.js'
import { LUA_SOURCE } from '../harness/clock.js'
import { eventually } from '../harness/eventually.mjs'
import { testFleet } from '../harness/fleet.js'
import { startProxy, type Proxy } from '../harness/proxy.js'

interface TwoWorkers {
  /** Strict. It hears of no change: its subscription is a minute late. */
  readonly mine: Busbar
  readonly other: Busbar
  readonly provider: Provider
  /** The other's handle of the same provider. */
  readonly others: Provider
  readonly proxy: Proxy
  /** Script calls that `work` costs Redis. */
  readonly scriptCallsOf: (work: () => Promise<unknown>) => Promise<number>
}

const MINUTE = 60_000
const AT_ONCE = 5

/** A Redis of the test's own, so that what is counted there is the test's own. */
async function twoWorkers(settings: SettingsInput = {}): Promise<TwoWorkers> {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const proxy = await startProxy(server.port)
  const options = { logger: false as const, commandTimeoutMs: 2_000 }
  const mine = await connect({ ...options, redis: proxy.url, consistency: 'strict' })
  const other = await connect({ ...options, redis: server.url })
  onTestFinished(async () => {
    await Promise.all([mine, other].map((busbar) => busbar.close({ timeoutMs: 200 })))
    redis.disconnect()
    await server.stop()
  })
  const provider = await mine.provider('openai', settings)
  const others = await other.provider('openai', settings)
  proxy.delaySubscriptions(MINUTE)
  const scriptCalls = async () => {
    const stats = await redis.info('commandstats')
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
  const scriptCallsOf = async (work: () => Promise<unknown>) => {
    const before = await scriptCalls()
    await work()
    return (await scriptCalls()) - before
  }
  // The first call of a script loads it.
  for (const permit of permitsOf([await provider.admit()])) await permit.settle('ignored')
  return { mine, other, provider, others, proxy, scriptCallsOf }
}

/** In one turn. */
const admitAtOnce = (provider: Provider): Promise<Decision[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, () => provider.admit()))

const permitsOf = (decisions: readonly Decision[]) =>
  decisions.flatMap((decision) => (decision.admitted ? [decision.permit] : []))

it('strict admissions of one turn cost one script call while the circuit is closed, and each has a permit of its own', async () => {
  const { provider, scriptCallsOf } = await twoWorkers()
  let decisions: Decision[] = []
  expect(await scriptCallsOf(async () => (decisions = await admitAtOnce(provider)))).toBe(1)
  for (const decision of decisions) expect(decision).toMatchObject({ admitted: true, source: 'redis' })
  const permits = permitsOf(decisions)
  expect(new Set(permits).size).toBe(AT_ONCE)
  for (const permit of permits) expect(await permit.settle('healthy')).toEqual({ applied: true })
  expect(await provider.historySize()).toBe(AT_ONCE)
})

it('an admission does not join a command that has left: Redis may have decided it before', async () => {
  const { provider, scriptCallsOf } = await twoWorkers()
  const calls = await scriptCallsOf(async () => {
    const first = provider.admit()
    for (let i = 0; i < 3; i += 1) await Promise.resolve()
    await Promise.all([first, provider.admit()])
  })
  expect(calls).toBe(2)
})

it('one refusal refuses all of a group', async () => {
  const { provider, others, scriptCallsOf } = await twoWorkers()
  await others.trip({ reason: 'by hand' })
  expect(provider.peek()).toMatchObject({ state: 'closed' })
  let decisions: Decision[] = []
  expect(await scriptCallsOf(async () => (decisions = await admitAtOnce(provider)))).toBe(1)
  for (const decision of decisions) expect(decision).toMatchObject({ code: 'circuit_open', source: 'redis' })
})

it('with enforce off a group is admitted, and each is told why it would have been refused', async () => {
  const { provider, others } = await twoWorkers({ breaker: { enforce: false } })
  await others.trip({ reason: 'by hand' })
  const expected = { admitted: true, wouldRefuse: 'circuit_open', source: 'redis' }
  for (const decision of await admitAtOnce(provider)) expect(decision).toMatchObject(expected)
})

it.each([1, 2])(
  'a lease is given to one call of a group, and the others ask for themselves: %i at most',
  async (halfOpenMaxTrials) => {
    const { provider, others } = await twoWorkers({ breaker: { halfOpenMaxTrials } })
    await others.trip({ reason: 'by hand', forMs: 10 })
    await eventually(async () => (await others.state()) === 'half_open', 'the cooldown is over')
    expect(provider.peek()).toMatchObject({ state: 'closed' })
    const decisions = await admitAtOnce(provider)
    const permits = permitsOf(decisions)
    expect(permits.map(({ trial }) => trial)).toEqual(Array(halfOpenMaxTrials).fill(true))
    const refused = decisions.filter(({ admitted }) => !admitted)
    expect(refused).toHaveLength(AT_ONCE - halfOpenMaxTrials)
    for (const decision of refused) expect(decision).toMatchObject({ code: 'no_trial_free' })
    const { trials } = await others.snapshot()
    expect(trials).toBe(halfOpenMaxTrials)
    for (const permit of permits) await permit.settle('ignored')
    expect(await others.snapshot()).toMatchObject({ trials: 0 })
  },
)

it('a group whose reply is lost is decided by the fallback, call by call, and its outcomes are kept', async () => {
  const { mine, provider, proxy } = await twoWorkers()
  proxy.loseReplies('evalsha')
  const decisions = await admitAtOnce(provider)
  for (const decision of decisions) expect(decision).toMatchObject({ admitted: true, source: 'fallback' })
  expect(mine.counters.admissionsWithoutRedis).toBe(AT_ONCE)
  const permits = permitsOf(decisions)
  expect(new Set(permits).size).toBe(AT_ONCE)
  for (const permit of permits) await permit.settle('healthy')
  await eventually(() => mine.degradedSince === undefined, 'Redis is back')
  expect(await provider.historySize()).toBe(AT_ONCE)
})

it('a provider that somebody removed is no more for each call of a group', async () => {
  const { provider, other } = await twoWorkers()
  await other.remove('openai')
  expect(provider.peek()).toMatchObject({ state: 'closed' })
  const errors = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => provider.admit()))
  for (const error of errors) expect(error).toMatchObject({ reason: { code: 'provider_removed' } })
})

it('a group whose command Redis ran too late asks again', async () => {
  const { url, namespace, clock } = await testFleet()
  // By its own clock, which does not know that Redis's is moved.
  const options = { redis: url, namespace, logger: false as const, consistency: 'strict' as const }
  const busbar = await connectWith(options, LUA_SOURCE)
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('openai')
  await clock.advance(MINUTE)
  for (const decision of await admitAtOnce(provider)) {
    expect(decision).toMatchObject({ admitted: true, source: 'redis' })
  }
})
