import { describe, expect, it, onTestFinished } from 'vitest'
import { guardInterceptor } from '../../src/adapters/undici.js'
import { createTestBusbar } from '../../src/testing.js'

type Abort = (reason: unknown) => void
type Handler = Record<string, (...args: unknown[]) => unknown>

/** A handler of each style that writes down what it is told, and what a dispatcher does with it. */
const styles = {
  'of version 7': {
    handler: (heard: unknown[]) => ({
      onRequestStart: () => heard.push('start'),
      onResponseStart: () => heard.push('head'),
      onResponseError: (_: unknown, error: Error) => heard.push(error.name),
    }),
    begin: (handler: Handler, abort: Abort) => handler['onRequestStart']?.({ abort }, {}),
    fail: (handler: Handler, reason: unknown) =>
      handler['onResponseError']?.({ aborted: true, reason }, reason),
  },
  'of version 6': {
    handler: (heard: unknown[]) => ({
      onConnect: () => heard.push('start'),
      onHeaders: () => heard.push('head'),
      onError: (error: Error) => heard.push(error.name),
    }),
    begin: (handler: Handler, abort: Abort) => handler['onConnect']?.(abort, {}),
    fail: (handler: Handler, reason: unknown) => handler['onError']?.(reason),
  },
}

describe.each(Object.entries(styles))('a handler %s', (_, style) => {
  async function dispatched() {
    const outcomes: string[] = []
    const busbar = createTestBusbar({ onOutcome: ({ outcome }) => outcomes.push(outcome) })
    onTestFinished(() => busbar.close())
    await busbar.provider('http://a', {}, { timeoutMs: 1_000 })
    const heard: unknown[] = []
    const aborted: unknown[] = []
    let begin = (): void => undefined
    const dispatch = guardInterceptor({ busbar })((__, handler: Handler) => {
      begin = () => {
        style.begin(handler, (reason) => {
          aborted.push(reason instanceof Error && reason.name)
          style.fail(handler, reason)
        })
      }
      return true
    })
    dispatch({ origin: 'http://a', path: '/', method: 'GET' }, style.handler(heard))
    await busbar.clock.advanceAsync(1)
    return { busbar, outcomes, heard, aborted, begin: () => begin() }
  }

  it('hears of the time limit of the handle once, and its request is ended', async () => {
    const { busbar, outcomes, heard, aborted, begin } = await dispatched()
    begin()
    await busbar.clock.advanceAsync(1_100)
    expect([heard, aborted, outcomes]).toEqual([
      ['start', 'CallTimeoutError'],
      ['CallTimeoutError'],
      ['timeout'],
    ])
  })

  it('hears of it at once while its request waits for a connection, and of nothing after that', async () => {
    const { busbar, outcomes, heard, aborted, begin } = await dispatched()
    await busbar.clock.advanceAsync(1_100)
    expect([heard, outcomes]).toEqual([['CallTimeoutError'], ['timeout']])
    begin()
    expect([heard, aborted]).toEqual([['CallTimeoutError'], ['CallTimeoutError']])
  })
})
