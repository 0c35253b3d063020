import { trace, type Attributes, type Meter, type Span } from '@opentelemetry/api'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { register } from '../../src/metrics/otel.js'
import { createTestBusbar } from '../../src/testing.js'

/** A meter that keeps what its instruments were given: no SDK is needed to see it. */
function testMeter() {
  const given: [name: string, value: number, attributes: Attributes | undefined][] = []
  const units: Record<string, string | undefined> = {}
  const instrument = (name: string, options?: { unit?: string }) => {
    units[name] = options?.unit
    const note = (value: number, attributes?: Attributes) => void given.push([name, value, attributes])
    return { add: note, record: note }
  }
  const parts: Partial<Meter> = { createCounter: instrument, createHistogram: instrument }
  // Only the two that busbar/otel makes are there: any other would be seen as a TypeError.
  return { meter: parts as Meter, given, units }
}

function metered() {
  const { meter, given, units } = testMeter()
  const busbar = createTestBusbar()
  const stop = register(busbar, { meter })
  onTestFinished(() => busbar.close())
  return { busbar, stop, given, units }
}

const QUICK = { breaker: { failureThreshold: 1, cooldownMs: 1_000 } }

describe('busbar/otel', () => {
  it('counts calls with their duration in seconds, and the transitions that this process made', async () => {
    const { busbar, given, units } = metered()
    const other = createTestBusbar({ fleet: busbar.fleet })
    onTestFinished(() => other.close())
    const provider = await busbar.provider('openai', QUICK)
    await provider.execute(() => {
      busbar.clock.advance(1_500)
      return 1
    })
    await provider.record('unhealthy')
    await (await other.provider('openai')).reset()
    expect(units).toEqual({
      'busbar.calls': '{call}',
      'busbar.call.duration': 's',
      'busbar.refusals': '{call}',
      'busbar.transitions': '{transition}',
    })
    expect(given).toEqual([
      ['busbar.calls', 1, { 'busbar.provider': 'openai', 'busbar.outcome': 'healthy' }],
      ['busbar.call.duration', 1.5, { 'busbar.provider': 'openai', 'busbar.result': 'success' }],
      ['busbar.calls', 1, { 'busbar.provider': 'openai', 'busbar.outcome': 'unhealthy' }],
      ['busbar.transitions', 1, { 'busbar.provider': 'openai', 'busbar.kind': 'opened' }],
    ])
  })

  it('makes a refusal an event of the active span', async () => {
    const { busbar, given, stop } = metered()
    const addEvent = vi.fn()
    const span: Partial<Span> = { addEvent }
    const active = vi.spyOn(trace, 'getActiveSpan').mockReturnValue(span as Span) // of it, only addEvent is used
    onTestFinished(() => active.mockRestore())
    const provider = await busbar.provider('openai', QUICK)
    await provider.trip()
    await expect(provider.execute(() => 1)).rejects.toThrow(/openai/)
    const attributes = {
      'busbar.provider': 'openai',
      'busbar.code': 'circuit_open',
      'busbar.source': 'cache',
    }
    expect(given).toContainEqual(['busbar.refusals', 1, attributes])
    expect(addEvent).toHaveBeenCalledExactlyOnceWith('busbar.refused', attributes)
    stop()
    await expect(provider.execute(() => 1)).rejects.toThrow(/openai/)
    expect(addEvent).toHaveBeenCalledOnce()
  })

  it('does nothing, and harms nothing, where the program has no SDK', async () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    register(busbar)
    const provider = await busbar.provider('openai')
    expect(await provider.execute(() => 1)).toBe(1)
  })

  it('refuses by name what is no meter', () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    // @ts-expect-error: what a program without types may give
    expect(() => register(busbar, { meter: {} })).toThrow(
      'register.meter: expected a Meter of @opentelemetry/api',
    )
  })
})
