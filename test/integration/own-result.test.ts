import { describe, expect, it } from 'vitest'
import type { Busbar, Provider } from '../../src/index.js'
import { deferred } from '../harness/deferred.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'

interface TestStore {
  readonly mine: Busbar
  readonly other: Busbar
  readonly proxy: Proxy
}

/** A call whose end the test decides, by the way it was made. */
type Path = (provider: Provider, fn: () => Promise<unknown>) => Promise<unknown>

const PATHS: readonly (readonly [how: string, consistency: 'cached' | 'strict', path: Path])[] = [
  ['execute', 'cached', (provider, fn) => provider.execute(fn)],
  ['execute with a time limit', 'cached', (provider, fn) => provider.execute(fn, { timeoutMs: 60_000 })],
  ['wrap', 'cached', (provider, fn) => provider.wrap(fn)()],
  ['execute, strict', 'strict', (provider, fn) => provider.execute(fn)],
  [
    'a permit that the scope disposes of',
    'cached',
    async (provider, fn) => {
      const decision = await provider.admit()
      if (!decision.admitted) throw new Error('not admitted')
      await using permit = decision.permit
      expect(permit.trial).toBe(false)
      return await fn()
    },
  ],
]

const MEANWHILE: readonly (readonly [what: string, happens: (testStore: TestStore) => Promise<void>])[] = [
  [
    'the provider was removed by another process',
    async ({ mine, other }) => {
      await other.remove('openai')
      await eventually(() => mine.get('openai') === undefined, 'this process knows')
    },
  ],
  [
    'the provider was removed, unknown to this process',
    async ({ other, proxy }) => {
      proxy.cutSubscriptions()
      await other.remove('openai')
    },
  ],
  ['this busbar was closed', ({ mine }) => mine.close({ timeoutMs: 0 })],
  [
    'Redis was lost',
    async ({ mine, proxy }) => {
      proxy.cut()
      await eventually(() => mine.degradedSince !== undefined, 'this process knows')
    },
  ],
  [
    'Redis was lost, unknown to this process',
    ({ proxy }) => {
      proxy.cut()
      return Promise.resolve()
    },
  ],
  [
    'Redis was lost and the provider removed before',
    async ({ mine, other, proxy }) => {
      await other.remove('openai')
      await eventually(() => mine.get('openai') === undefined, 'this process knows')
      proxy.cut()
      await eventually(() => mine.degradedSince !== undefined, 'this process knows')
    },
  ],
]

const unreadable = new Proxy(
  {},
  {
    get: () => {
      throw new Error('hands off')
    },
    getPrototypeOf: () => {
      throw new Error('hands off')
    },
  },
)

/** What a call ends with; a symbol and undefined are thrown by real programs. */
const ENDS: readonly (readonly [
  what: string,
  end: () => Promise<unknown>,
  thrown: boolean,
  value: unknown,
])[] = [
  ['result', () => Promise.resolve('done'), false, 'done'],
  ...(
    [
      ['error', new Error('its own')],
      ['frozen error', Object.freeze(new Error('its own'))],
      ['undefined', undefined],
      ['symbol', Symbol('its own')],
      ['proxy that cannot be looked at', unreadable],
    ] as const
  ).map(([what, value]) => [`thrown ${what}`, () => throwing(value), true, value] as const),
]

async function throwing(value: unknown): Promise<never> {
  await Promise.resolve()
  throw value
}

async function begin(consistency: 'cached' | 'strict'): Promise<TestStore & { readonly provider: Provider }> {
  const { join, url } = realFleet()
  const proxy = await startProxy(Number(new URL(url).port))
  const mine = await join({ redis: proxy.url, consistency, commandTimeoutMs: 300 })
  const other = await join()
  // Its first failure trips: then the call waits until that is known.
  const provider = await mine.provider('openai', { breaker: { failureThreshold: 1 } })
  return { mine, other, proxy, provider }
}

describe.each(PATHS)('a call by %s', (_, consistency, path) => {
  it.each(MEANWHILE)('ends with its own result or error when meanwhile %s', async (_what, happens) => {
    const testStore = await begin(consistency)
    const under = deferred<undefined>()
    const begun = ENDS.map(() => deferred<undefined>())
    const calls = ENDS.map(([, end], index) =>
      path(testStore.provider, async () => {
        begun[index]?.resolve(undefined)
        await under.promise
        return end()
      }).then(
        (value) => ({ thrown: false, value }),
        (error: unknown) => ({ thrown: true, value: error }),
      ),
    )
    await Promise.all(begun.map(({ promise }) => promise))
    await happens(testStore)
    under.resolve(undefined)
    for (const [index, ended] of (await Promise.all(calls)).entries()) {
      const [what, , thrown, value] = ENDS[index] ?? []
      expect(ended.thrown, what).toBe(thrown)
      // Not compared by `toBe`, which would look at a proxy that must not be looked at.
      expect(ended.value === value, what).toBe(true)
    }
  })
})

describe('what a call returns', () => {
  it('comes back as it is, also when it cannot be read', async () => {
    const { provider, mine } = await begin('cached')
    const odd = {
      get status(): number {
        throw new Error('hands off')
      },
    }
    expect(await provider.execute(() => odd)).toBe(odd)
    expect(await provider.execute(() => odd, { timeoutMs: 60_000 })).toBe(odd)
    await mine.flush()
    expect(await provider.historySize()).toBe(2)
  })
})
