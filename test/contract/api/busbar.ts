import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { coreOf } from '../../../src/client/busbar.js'
import { EVENT_KINDS, isBusbarError } from '../../../src/index.js'
import type { Busbar, EventOf, Provider, ProviderEvent, Snapshot } from '../../../src/index.js'
import { logbook, QUICK, rejection, withProvider, type OpenApi } from './test-busbar.js'
import { eventually } from '../../harness/eventually.mjs'

/** Every method of a handle that asks the store. */
const METHODS: [string, (provider: Provider) => Promise<unknown>][] = [
  ['execute', (p) => p.execute(() => 1)],
  ['a wrapped function', (p) => p.wrap(() => 1)()],
  ['admit', (p) => p.admit()],
  ['record', (p) => p.record('healthy')],
  ['recordSuccess', (p) => p.recordSuccess()],
  ['recordFailure', (p) => p.recordFailure()],
  ['reset', (p) => p.reset()],
  ['trip', (p) => p.trip()],
  ['state', (p) => p.state()],
  ['shouldAllow', (p) => p.shouldAllow()],
  ['successRate', (p) => p.successRate()],
  ['assess', (p) => p.assess(0.5)],
  ['historySize', (p) => p.historySize()],
  ['history', (p) => p.history()],
  ['status', (p) => p.status()],
  ['isHealthy', (p) => p.isHealthy()],
  ['markUnhealthy', (p) => p.markUnhealthy()],
  ['markDegraded', (p) => p.markDegraded()],
  ['markTerminated', (p) => p.markTerminated()],
  ['resume', (p) => p.resume()],
  ['snapshot', (p) => p.snapshot()],
  ['events', (p) => p.events()],
]

/** Handles, listeners, logs, and the end of both. */
/** As a probe worker does, which saw no result for too long. */
const announceOverdue = (busbar: Busbar, seen: Snapshot) =>
  coreOf(busbar).get('openai')?.core.announceOverdue(seen)

export function busbarContract(open: OpenApi): void {
  describe('handles', () => {
    it('are one for each provider, found by get', async () => {
      const { busbar } = await open()
      expect(busbar.get('openai')).toBeUndefined()
      const provider = await busbar.provider('openai')
      expect(await busbar.provider('openai', { slowMs: 7 })).toBe(provider)
      expect(busbar.get('openai')).toBe(provider)
    })

    it('can be had of a provider that is registered, without registering one', async () => {
      const { busbar } = await open()
      expect(await busbar.lookup('openai')).toBeUndefined()
      expect(await busbar.providers()).toEqual([])
      const provider = await busbar.provider('openai')
      expect(await busbar.lookup('openai')).toBe(provider)
    })

    it('are listed by the ids of their providers, the oldest first', async () => {
      const { busbar } = await open()
      for (const id of ['a', 'b', 'c']) await busbar.provider(id)
      expect(await busbar.providers()).toEqual(['a', 'b', 'c'])
    })

    it.each(['', 'a b', 'ü', 'x'.repeat(129), '{x}', 'a\n', 5, null, undefined])(
      'are not given for the id %j',
      async (id) => {
        const { busbar } = await open()
        const error = await rejection(busbar.provider(id as string))
        expect(error).toMatchObject({ code: 'argument_invalid', path: 'id' })
        expect(await rejection(busbar.lookup(id as string))).toMatchObject({ path: 'id' })
        expect(await rejection(busbar.remove(id as string))).toMatchObject({ path: 'id' })
      },
    )

    it('are given for every letter that an id may have', async () => {
      const { busbar } = await open()
      const id = 'Az09._:/@-'
      const provider = await busbar.provider(id)
      await provider.recordSuccess()
      expect((await provider.snapshot()).id).toBe(id)
      expect(await busbar.providers()).toEqual([id])
    })

    it('take no null in place of local options', async () => {
      const { busbar } = await open()
      const error = await rejection(busbar.provider('openai', {}, null as unknown as object))
      expect(error).toMatchObject({ code: 'settings_invalid' })
    })

    it('take no local option that is not built', async () => {
      const { busbar } = await open()
      const call = busbar.provider('openai', {}, { keyPrefix: 'deny' } as object)
      expect(await rejection(call)).toMatchObject({ code: 'settings_invalid', path: 'keyPrefix' })
    })
  })

  describe('remove', () => {
    it.each(METHODS)('makes %s answer ProviderRemovedError', async (_, call) => {
      const { busbar, provider } = await withProvider(open)
      await busbar.remove('openai')
      const error = await rejection(call(provider))
      expect(error).toMatchObject({
        name: 'ProviderRemovedError',
        code: 'provider_removed',
        providerId: 'openai',
      })
      expect(await busbar.providers()).toEqual([])
    })

    it('leaves nothing to peek at', async () => {
      const { busbar, provider } = await withProvider(open)
      await busbar.remove('openai')
      expect(provider.peek()).toBeUndefined()
    })

    it('is undone by registering again: the handle lives, with nothing of before', async () => {
      const { busbar, provider } = await withProvider(open)
      await provider.recordFailure()
      await busbar.remove('openai', { reason: 'retired', actor: 'me' })
      expect(await busbar.provider('openai', QUICK)).toBe(provider)
      expect(await provider.snapshot()).toMatchObject({ state: 'closed', historyTotal: 0 })
      await provider.recordFailure()
      expect(await provider.state()).toBe('open')
    })

    it('of a provider that nobody knows is an error', async () => {
      const { busbar } = await open()
      const error = await rejection(busbar.remove('nobody'))
      expect(error).toMatchObject({ code: 'provider_unknown', providerId: 'nobody' })
    })

    it('refuses options that it does not know, or of the wrong type', async () => {
      const { busbar } = await withProvider(open)
      for (const options of [{ because: 'typo' }, { reason: 5 }]) {
        const error = await rejection(busbar.remove('openai', options as object))
        expect(error).toMatchObject({ code: 'argument_invalid' })
      }
      expect(await busbar.providers()).toEqual(['openai'])
    })
  })

  describe('close', () => {
    it.each(METHODS)('makes %s answer BusbarClosedError', async (_, call) => {
      const { busbar, provider } = await withProvider(open)
      await busbar.close()
      const error = await rejection(call(provider))
      expect(error).toMatchObject({ name: 'BusbarClosedError', code: 'busbar_closed' })
      expect(isBusbarError(error, 'busbar_closed')).toBe(true)
    })

    it('makes the busbar itself answer the same', async () => {
      const { busbar } = await withProvider(open)
      await busbar.close()
      const calls = [
        busbar.provider('openai'),
        busbar.lookup('openai'),
        busbar.providers(),
        busbar.remove('openai'),
        busbar.startProbes(),
      ]
      for (const call of calls) expect(await rejection(call)).toMatchObject({ code: 'busbar_closed' })
    })

    it('writes what was told before', async () => {
      const { busbar, provider } = await withProvider(open)
      const told = Promise.all([provider.record('healthy'), provider.record('timeout')])
      await busbar.close()
      await expect(told).resolves.toHaveLength(2)
      expect(busbar.counters.outcomesLost).toBe(0)
    })

    it('may be asked for twice, and happens by disposal', async () => {
      const { busbar, provider } = await withProvider(open)
      await Promise.all([busbar.close(), busbar.close({ timeoutMs: 10 }), busbar[Symbol.asyncDispose]()])
      expect(await rejection(provider.state())).toMatchObject({ code: 'busbar_closed' })
    })
  })

  describe('a listener', () => {
    it('is told of every kind of event, with what the stream of events says', async () => {
      const { busbar, advance } = await open()
      const heard: ProviderEvent[] = []
      for (const kind of EVENT_KINDS) busbar.on(kind, (event) => heard.push(event))
      const probe = { kind: 'tcp' as const, host: 'localhost', port: 1, intervalMs: 1_000 }
      const provider = await busbar.provider('openai', { ...QUICK, probe })
      await provider.recordFailure()
      await advance(1_000)
      await provider.recordSuccess()
      await advance(3_000)
      await announceOverdue(busbar, await provider.snapshot())
      await provider.record('throttled', { retryAfterMs: 5 })
      await provider.markDegraded()
      await provider.resume()
      await busbar.provider('openai', { slowMs: 9 })
      await provider.reset()
      const kept = await provider.events()
      expect(kept.map((event) => event.kind)).toEqual([
        'registered',
        'opened',
        'half_opened',
        'closed',
        'probe_overdue',
        'throttled',
        'marked',
        'resumed',
        'settings_changed',
        'reset',
      ])
      await eventually(() => expect(heard).toEqual(kept))
      await busbar.remove('openai')
      await eventually(() => expect(heard.at(-1)?.kind).toBe('removed'))
      // What the type of each kind says that it goes from and to.
      expect(heard.map(({ kind, from, to }) => [kind, from, to])).toEqual([
        ['registered', '', 'closed'],
        ['opened', 'closed', 'open'],
        ['half_opened', 'open', 'half_open'],
        ['closed', 'half_open', 'closed'],
        ['probe_overdue', '', 'overdue'],
        ['throttled', '', 'throttled'],
        ['marked', '', 'degraded'],
        ['resumed', 'degraded', ''],
        ['settings_changed', expect.stringContaining('slowMs=-'), expect.stringContaining('slowMs=9')],
        ['reset', 'closed', 'closed'],
        ['removed', 'closed', ''],
      ])
      // Those of a worker need a fleet: see store/judgement.ts.
      const alone = EVENT_KINDS.filter((kind) => !kind.startsWith('worker_'))
      expect(new Set(heard.map((event) => event.kind))).toEqual(new Set(alone))
    })

    it('is told of its kind only, until it is taken off', async () => {
      const { busbar, provider } = await withProvider(open)
      const [off, on] = [vi.fn(), vi.fn()]
      const takeOff = busbar.on('reset', off)
      busbar.on('reset', (event) => {
        expectTypeOf(event).toEqualTypeOf<EventOf<'reset'>>()
        on(event.kind)
      })
      await provider.recordFailure()
      await provider.reset()
      await eventually(() => expect(on.mock.calls).toEqual([['reset']]))
      takeOff()
      takeOff()
      await provider.reset()
      await eventually(() => expect(on.mock.calls).toEqual([['reset'], ['reset']]))
      expect(off).toHaveBeenCalledTimes(1)
    })

    it('is taken off by its signal, before or after', async () => {
      const { busbar, provider } = await withProvider(open)
      const [early, late, witness] = [vi.fn(), vi.fn(), vi.fn()]
      const controller = new AbortController()
      busbar.on('reset', early, { signal: AbortSignal.abort() })
      busbar.on('reset', late, { signal: controller.signal })
      busbar.on('reset', witness)
      await provider.reset()
      await eventually(() => expect(witness.mock.calls.length).toBe(1))
      controller.abort()
      await provider.reset()
      await eventually(() => expect(witness.mock.calls.length).toBe(2))
      expect(early).not.toHaveBeenCalled()
      expect(late).toHaveBeenCalledTimes(1)
    })

    it('added twice is told twice, and taken off one by one', async () => {
      const { busbar, provider } = await withProvider(open)
      const listener = vi.fn()
      const takeOff = busbar.on('reset', listener)
      busbar.on('reset', listener)
      await provider.reset()
      await eventually(() => expect(listener.mock.calls.length).toBe(2))
      takeOff()
      await provider.reset()
      await eventually(() => expect(listener.mock.calls.length).toBe(3))
    })

    it('that throws or rejects hurts nobody: it is logged and counted', async () => {
      const book = logbook()
      const { busbar, provider } = await withProvider(open, QUICK, { logger: book.logger })
      const [thrown, rejected] = [new Error('thrown'), new Error('rejected')]
      const witness = vi.fn()
      busbar.on('opened', () => {
        throw thrown
      })
      busbar.on('opened', () => Promise.reject(rejected))
      busbar.on('opened', witness)
      await provider.recordFailure()
      await eventually(() => expect(witness.mock.calls.length).toBe(1))
      await eventually(() => expect(busbar.counters.callbacksFailed).toBe(2))
      const failed = book.lines.filter(([, , message]) => message === 'a listener failed')
      expect(failed.map(([level, fields]) => [level, fields])).toEqual([
        ['error', { err: thrown, kind: 'opened', provider: 'openai' }],
        ['error', { err: rejected, kind: 'opened', provider: 'openai' }],
      ])
      expect(await provider.state()).toBe('open')
    })

    it('may take itself or another off while it is told', async () => {
      const { busbar, provider } = await withProvider(open)
      const witness = vi.fn()
      const off: () => void = busbar.on('reset', () => off())
      busbar.on('reset', witness)
      await provider.reset()
      await provider.reset()
      await eventually(() => expect(witness.mock.calls.length).toBe(2))
    })

    it('is refused with an option that does not exist, by name', async () => {
      const { busbar } = await open()
      expect(() => busbar.on('opened', () => undefined, { sginal: 1 } as object)).toThrow(/sginal/)
    })

    it('is refused for a kind that does not exist, and when it is no function', async () => {
      const { busbar } = await open()
      const untyped = busbar as unknown as { on(kind: string, listener: unknown): void }
      expect(() => untyped.on('exploded', () => undefined)).toThrow(
        /kind: expected one of registered, .*exploded/,
      )
      expect(() => untyped.on('opened', 'fn')).toThrow('listener: expected a function')
    })
  })

  describe('the log', () => {
    it('of who made a transition says it once: opened at warn with the failures, closed at info', async () => {
      const book = logbook()
      const { provider, advance } = await withProvider(open, QUICK, { logger: book.logger })
      await provider.recordFailure()
      await advance(1_000)
      await provider.recordFailure()
      await advance(1_000)
      await provider.recordSuccess()
      const said = book.lines.filter(([level]) => level === 'warn' || level === 'info')
      expect(said).toMatchObject([
        ['warn', { provider: 'openai', consecutiveFailures: 1, retryAfterMs: 1_000 }, 'circuit opened'],
        ['warn', { provider: 'openai', consecutiveFailures: 2, retryAfterMs: 1_000 }, 'circuit re-opened'],
        ['info', { provider: 'openai' }, 'circuit closed'],
      ])
    })

    it('of who tells the fleet of a silence of the probes says so once, at warn', async () => {
      const book = logbook()
      const probe = { kind: 'tcp' as const, host: 'localhost', port: 1, intervalMs: 1_000 }
      const { busbar, provider, advance } = await withProvider(open, { probe }, { logger: book.logger })
      await announceOverdue(busbar, await provider.snapshot())
      await advance(3_000)
      const seen = await provider.snapshot()
      expect(seen).toMatchObject({ stale: true, probeIntervalMs: 1_000 })
      for (let i = 0; i < 2; i += 1) await announceOverdue(busbar, seen)
      expect(book.lines.filter(([level]) => level === 'warn')).toMatchObject([
        [
          'warn',
          { provider: 'openai', reason: 'no probe result for 3s, every 1s is wanted' },
          'probe overdue',
        ],
      ])
    })

    it('that throws hurts nobody, and is counted', async () => {
      const fail = () => {
        throw new Error('disk full')
      }
      const logger = { debug: fail, info: fail, warn: fail, error: fail }
      const { busbar, provider } = await withProvider(open, QUICK, { logger })
      await provider.recordFailure()
      expect(await provider.state()).toBe('open')
      expect(busbar.counters.callbacksFailed).toBeGreaterThanOrEqual(1)
    })
  })
}
