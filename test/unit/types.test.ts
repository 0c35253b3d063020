import { describe, expect, expectTypeOf, it } from 'vitest'
import { CallRefusedError, CallTimeoutError, isBusbarError } from '../../src/index.js'
import type {
  AnyEvent,
  Busbar,
  CircuitState,
  Classify,
  ErrorByCode,
  ErrorCode,
  EventKind,
  EventOf,
  Mark,
  ProviderEvent,
  RedisFailure,
  StoreLostEvent,
  StoreRestoredEvent,
} from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'

// `npm run types` checks what is said of types here; running the file checks the rest.

describe('the type of an event', () => {
  it('is narrowed by its kind: from and to have the words of that kind', () => {
    const read = (event: ProviderEvent) => {
      if (event.kind === 'opened') {
        expectTypeOf(event.from).toEqualTypeOf<CircuitState>()
        expectTypeOf(event.to).toEqualTypeOf<'open'>()
      } else if (event.kind === 'marked') {
        expectTypeOf(event.from).toEqualTypeOf<Mark | ''>()
        expectTypeOf(event.to).toEqualTypeOf<Mark>()
      } else if (event.kind === 'settings_changed') {
        expectTypeOf(event.from).toEqualTypeOf<string>()
      }
      return event.generation
    }
    expectTypeOf(read).returns.toEqualTypeOf<number>()
    expectTypeOf<EventOf<'half_opened'>['from']>().toEqualTypeOf<'open'>()
    expectTypeOf<EventOf<'closed' | 'reset'>['to']>().toEqualTypeOf<'closed'>()
    expectTypeOf<EventOf<EventKind>>().toEqualTypeOf<ProviderEvent>()
  })

  it('is that of the kind that a listener was added for', async () => {
    const busbar: Busbar = createTestBusbar()
    const heard: string[] = []
    busbar.on('opened', (event) => {
      expectTypeOf(event).toEqualTypeOf<EventOf<'opened'>>()
      heard.push(event.to)
    })
    busbar.on('store_lost', (event) => {
      expectTypeOf(event).toEqualTypeOf<StoreLostEvent>()
    })
    busbar.on('store_restored', (event) => {
      expectTypeOf(event).toEqualTypeOf<StoreRestoredEvent>()
    })
    busbar.on('*', (event) => {
      expectTypeOf(event).toEqualTypeOf<AnyEvent>()
    })
    const kinds: readonly EventKind[] = ['marked', 'resumed']
    for (const kind of kinds) {
      busbar.on(kind, (event) => {
        expectTypeOf(event).toEqualTypeOf<ProviderEvent>()
      })
    }
    // @ts-expect-error: there is no such kind; in JavaScript it is refused in words
    expect(() => busbar.on('openend', () => undefined)).toThrow(/kind: expected one of registered, opened/)
    await (await busbar.provider('openai')).trip()
    expect(heard).toEqual(['open'])
    await busbar.close()
  })
})

describe('isBusbarError with a code', () => {
  it('gives the class of that code, with its fields', () => {
    const refused: unknown = new CallRefusedError('openai', 'circuit_open', 'open', 5)
    if (!isBusbarError(refused, 'circuit_open')) throw new Error('not recognised')
    expectTypeOf(refused.code).toEqualTypeOf<'circuit_open'>()
    expectTypeOf(refused.retryAfterMs).toEqualTypeOf<number | null>()
    expectTypeOf(refused.providerId).toEqualTypeOf<string>()
    expect(refused.retryAfterMs).toBe(5)
    const timeout: unknown = new CallTimeoutError('openai', 9)
    if (!isBusbarError(timeout, 'call_timeout')) throw new Error('not recognised')
    expectTypeOf(timeout.timeoutMs).toEqualTypeOf<number>()
    const any: unknown = refused
    if (isBusbarError(any)) expectTypeOf(any.code).toEqualTypeOf<ErrorCode>()
    if (isBusbarError(any, 'redis_unavailable')) expectTypeOf(any.failure).toEqualTypeOf<RedisFailure>()
    if (isBusbarError(any, 'settings_invalid')) expectTypeOf(any.path).toEqualTypeOf<string>()
    if (isBusbarError(any, 'provider_unknown')) expectTypeOf(any.providerId).toEqualTypeOf<string>()
  })

  it('knows the class of every code', () => {
    expectTypeOf<keyof ErrorByCode>().toEqualTypeOf<ErrorCode>()
  })
})

describe('the type of classify', () => {
  it('refuses a misspelt verdict, and a promise', () => {
    const refused: Classify[] = [
      // @ts-expect-error: no outcome
      () => 'unhelthy',
      // @ts-expect-error: no outcome
      () => ({ outcome: 'helthy' }),
      // @ts-expect-error: it must answer at once
      () => Promise.resolve('healthy'),
    ]
    expect(refused).toHaveLength(3)
    expectTypeOf<(result: unknown) => 'healthy' | undefined>().toExtend<Classify>()
  })
})
