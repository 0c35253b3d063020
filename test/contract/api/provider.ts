import { describe, expect, it } from 'vitest'
import type { Provider } from '../../../src/index.js'
import { QUICK, rejection, withProvider, type OpenApi } from './test-busbar.js'

/** What a handle answers and does beside calls. */
export function providerContract(open: OpenApi): void {
  describe('a new provider', () => {
    it('is closed, healthy and unknown in its history', async () => {
      const { provider } = await withProvider(open, {})
      expect(await provider.state()).toBe('closed')
      expect(await provider.shouldAllow()).toBe(true)
      expect(await provider.successRate()).toBe(1)
      expect(await provider.assess()).toBe('healthy')
      expect(await provider.historySize()).toBe(0)
      expect(await provider.history()).toEqual([])
      expect(await provider.status()).toBe('healthy')
      expect(await provider.isHealthy()).toBe(true)
      expect(provider.id).toBe('openai')
      expect(provider.settings.breaker.failureThreshold).toBe(3)
    })
  })

  describe('shouldAllow', () => {
    it('looks and takes no lease: half-open stays free', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.recordFailure()
      expect(await provider.shouldAllow()).toBe(false)
      await advance(1_000)
      expect(await provider.state()).toBe('half_open')
      for (let i = 0; i < 3; i += 1) expect(await provider.shouldAllow()).toBe(true)
      expect((await provider.snapshot()).trials).toBe(0)
    })

    it('is false behind a mark that refuses and during a pause', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.markUnhealthy()
      expect(await provider.shouldAllow()).toBe(false)
      await provider.markDegraded()
      expect(await provider.shouldAllow()).toBe(true)
      await provider.record('throttled', { retryAfterMs: 100 })
      expect(await provider.shouldAllow()).toBe(false)
      await advance(100)
      expect(await provider.shouldAllow()).toBe(true)
    })
  })

  describe('status', () => {
    it('is the mark, else unhealthy while not closed, else what the history says', async () => {
      const { provider, advance } = await withProvider(open)
      await Promise.all([1, 2, 3, 4].map(() => provider.recordSuccess()))
      expect(await provider.status()).toBe('healthy')
      await provider.record('timeout')
      expect(await provider.status()).toBe('unhealthy')
      await advance(1_000)
      expect([await provider.state(), await provider.successRate()]).toEqual(['half_open', 0.8])
      expect(await provider.status()).toBe('unhealthy')
      await provider.record('timeout')
      await advance(1_000)
      await provider.recordSuccess()
      expect([await provider.state(), await provider.status()]).toEqual(['closed', 'degraded'])
      await provider.markTerminated()
      expect(await provider.status()).toBe('terminated')
      await provider.markDegraded()
      expect([await provider.status(), await provider.isHealthy()]).toEqual(['degraded', true])
      expect((await provider.snapshot()).health).toBe('degraded')
    })
  })

  describe('status of a provider that answers every time', () => {
    it('is degraded at worst, though its rate of healthy outcomes is 0', async () => {
      const { provider } = await withProvider(open)
      await provider.record('degraded')
      expect([await provider.status(), await provider.isHealthy()]).toEqual(['degraded', true])
      expect(await provider.assess()).toBe('unhealthy')
    })
  })

  describe('assess', () => {
    it('judges by the threshold given, else by that of the settings', async () => {
      const { provider } = await withProvider(open, { history: { degradationThreshold: 0.5 } })
      await Promise.all(
        ['healthy', 'healthy', 'timeout'].map((outcome) => provider.record(outcome as 'healthy')),
      )
      expect(await provider.assess()).toBe('healthy')
      expect(await provider.assess(0.8)).toBe('degraded')
      expect(await provider.assess(2 / 3)).toBe('healthy')
    })

    it.each([-0.1, 1.1, NaN, Infinity, '0.5'])('refuses the threshold %s', async (threshold) => {
      const { provider } = await withProvider(open)
      const error = await rejection(provider.assess(threshold as number))
      expect(error).toMatchObject({ code: 'argument_invalid', path: 'threshold' })
    })
  })

  describe('a mark', () => {
    it.each([
      [
        'unhealthy',
        (p: Provider, forMs: number) => p.markUnhealthy({ reason: 'why', actor: 'me', forMs }),
        false,
      ],
      [
        'degraded',
        (p: Provider, forMs: number) => p.markDegraded({ reason: 'why', actor: 'me', forMs }),
        true,
      ],
      [
        'terminated',
        (p: Provider, forMs: number) => p.markTerminated({ reason: 'why', actor: 'me', forMs }),
        false,
      ],
    ] as const)('%s is told with reason, actor and end, and ends', async (mark, set, healthy) => {
      const { provider, advance } = await withProvider(open)
      await set(provider, 300)
      expect([await provider.status(), await provider.isHealthy()]).toEqual([mark, healthy])
      expect(await provider.snapshot()).toMatchObject({
        mark,
        markReason: 'why',
        markActor: 'me',
        markForMs: 300,
        state: 'closed',
      })
      await advance(300)
      expect([await provider.status(), await provider.isHealthy()]).toEqual(['healthy', true])
    })

    it('is cleared by resume, and is set by this worker when nobody is named', async () => {
      const { provider, busbar } = await withProvider(open)
      await provider.markUnhealthy()
      expect(await provider.snapshot()).toMatchObject({ markActor: busbar.workerId, markForMs: null })
      await provider.resume({ reason: 'mended', actor: 'me' })
      expect(await provider.isHealthy()).toBe(true)
      expect((await provider.events({ count: 1 }))[0]).toMatchObject({
        kind: 'resumed',
        reason: 'mended',
        actor: 'me',
      })
    })

    it.each<[string, (provider: Provider) => Promise<unknown>]>([
      ['an unknown option', (p) => p.markUnhealthy({ because: 'typo' } as object)],
      ['an end at once', (p) => p.markDegraded({ forMs: 0 })],
      ['half a ms', (p) => p.trip({ forMs: 1.5 })],
      ['a reason that is a number', (p) => p.reset({ reason: 5 } as object)],
      ['a reason without end', (p) => p.resume({ reason: 'x'.repeat(501) })],
    ])('or another command with %s is refused, and nothing happens', async (_, call) => {
      const { provider } = await withProvider(open)
      const before = await provider.snapshot()
      expect(await rejection(call(provider))).toMatchObject({ code: 'argument_invalid' })
      expect((await provider.snapshot()).version).toBe(before.version)
    })
  })

  describe('trip and reset', () => {
    it('open by hand and close by hand', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.trip({ reason: 'drill', actor: 'me' })
      expect(await provider.snapshot()).toMatchObject({ state: 'open', retryAfterMs: null, reason: 'drill' })
      await advance(10_000_000)
      expect(await provider.state()).toBe('open')
      await provider.trip({ forMs: 500 })
      await advance(500)
      expect(await provider.state()).toBe('half_open')
      await provider.reset({ reason: 'drill over' })
      expect(await provider.snapshot()).toMatchObject({ state: 'closed', reason: 'drill over' })
      const events = await provider.events()
      expect(events.map(({ kind, actor }) => [kind, actor]).slice(1, 2)).toEqual([['opened', 'me']])
    })
  })

  describe('the history of a provider', () => {
    it('gives the newest runs, the oldest first, as many as asked for', async () => {
      const { provider, advance } = await withProvider(open, {})
      for (const outcome of ['healthy', 'degraded', 'timeout'] as const) {
        await provider.record(outcome)
        await provider.snapshot()
        await advance(10)
      }
      const statuses = async (count?: number) =>
        (await provider.history(count === undefined ? {} : { count })).map((entry) => entry.status)
      expect(await statuses()).toEqual(['healthy', 'degraded', 'timeout'])
      expect(await statuses(2)).toEqual(['degraded', 'timeout'])
      expect(await statuses(0)).toEqual([])
      expect(await provider.historySize()).toBe(3)
    })

    it('leaves out what is older than the window', async () => {
      const { provider, advance } = await withProvider(open, { history: { windowMs: 1_000 } })
      await provider.record('timeout')
      await advance(600)
      await provider.record('healthy')
      await advance(401)
      expect((await provider.history()).map((entry) => entry.status)).toEqual(['healthy'])
      expect([await provider.historySize(), await provider.successRate()]).toEqual([1, 1])
    })

    it.each([-1, 1.5, NaN, '3', 1_000_001])('and its events refuse the count %s', async (count) => {
      const { provider } = await withProvider(open)
      const options = { count: count as number }
      expect(await rejection(provider.history(options))).toMatchObject({
        code: 'argument_invalid',
        path: 'history.count',
      })
      expect(await rejection((async () => provider.events(options))())).toMatchObject({
        code: 'argument_invalid',
      })
    })
  })

  describe('the events of a provider', () => {
    it('are the newest, the oldest first, as many as asked for', async () => {
      const { provider, busbar } = await withProvider(open)
      await provider.recordFailure()
      await provider.reset({ actor: 'me' })
      expect((await provider.events()).map((event) => event.kind)).toEqual(['registered', 'opened', 'reset'])
      const [reset] = await provider.events({ count: 1 })
      expect(reset).toMatchObject({
        kind: 'reset',
        providerId: 'openai',
        from: 'open',
        to: 'closed',
        reason: 'reset',
        actor: 'me',
        worker: busbar.workerId,
      })
      expect(await provider.events({ count: 0 })).toEqual([])
    })
  })

  describe('peek', () => {
    it('answers at once what this process knows, and says that it comes from the cache', async () => {
      const { provider } = await withProvider(open)
      expect(provider.peek()).toMatchObject({ state: 'closed', source: 'cache', id: 'openai' })
      await provider.recordFailure()
      expect(provider.peek()).toMatchObject({ state: 'open', consecutiveFailures: 1, health: 'unhealthy' })
      const read = await provider.snapshot()
      expect(read.source).toBe('redis')
      expect(provider.peek()).toMatchObject({ version: read.version, generation: read.generation })
    })
  })

  describe('settings', () => {
    it('become those of the fleet when given, and are those in force when not', async () => {
      const { provider, busbar } = await withProvider(open, QUICK)
      expect(provider.settings.breaker).toMatchObject({ failureThreshold: 1, cooldownMs: 1_000 })
      await busbar.provider('openai')
      expect(provider.settings.breaker.failureThreshold).toBe(1)
      await busbar.provider('openai', { slowMs: 5 })
      expect(provider.settings).toMatchObject({ slowMs: 5, breaker: { failureThreshold: 3 } })
    })

    it('start from the defaults of the connection', async () => {
      const testStore = await open({
        defaults: { breaker: { failureThreshold: 9, cooldownMs: 7 }, slowMs: 44 },
      })
      const provider = await testStore.busbar.provider('openai', { breaker: { cooldownMs: 8 } })
      expect(provider.settings).toMatchObject({ slowMs: 44, breaker: { failureThreshold: 9, cooldownMs: 8 } })
    })

    it('that make no sense register nothing', async () => {
      const { busbar } = await open()
      const error = await rejection(busbar.provider('openai', { breaker: { failureThreshold: 0 } }))
      expect(error).toMatchObject({ code: 'settings_invalid', path: 'breaker.failureThreshold' })
      expect(await busbar.providers()).toEqual([])
      expect(busbar.get('openai')).toBeUndefined()
    })
  })
}
