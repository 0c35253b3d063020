import { describe, expect, it } from 'vitest'
import { AdaptiveLimit } from '../../src/client/shared/adaptive-limit.js'
import { deferred } from '../harness/deferred.js'

/** Work that takes as long as the test says, on a clock of its own. */
function setUp({ first = 2, least = 1, most = 8, targetMs = 100 } = {}) {
  let now = 0
  const limit = new AdaptiveLimit({ first, least, most, targetMs, clock: { now: () => now } })
  const started: number[] = []
  const open: { end: (ms: number) => Promise<void> }[] = []
  let asked = 0
  const ask = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const number = asked++
      const work = deferred<undefined>()
      open.push({
        end: async (ms) => {
          now += ms
          work.resolve(undefined)
          await settled()
        },
      })
      void limit.run(() => {
        started.push(number)
        return work.promise
      })
    }
    return settled()
  }
  /** Ends everything that runs, each `ms` after the last; answers how many that were. */
  let ended = 0
  const round = async (ms: number) => {
    const running = open.slice(ended, started.length)
    ended = started.length
    now += ms
    for (const one of running) await one.end(0)
    return running.length
  }
  return { limit, started, ask, round }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('how many pieces of work run at a time', () => {
  it('doubles with each quick round, up to its most', async () => {
    const { ask, round } = setUp()
    await ask(100)
    expect([await round(1), await round(1), await round(1), await round(1)]).toEqual([2, 4, 8, 8])
  })

  it('halves once after a slow round, never below its least, and then grows by a quarter', async () => {
    const { ask, round } = setUp()
    await ask(200)
    const rounds = async (count: number, ms: number) => {
      const ran: number[] = []
      for (let i = 0; i < count; i += 1) ran.push(await round(ms))
      return ran
    }
    expect(await rounds(3, 1)).toEqual([2, 4, 8])
    // What was under way when the first slow one ended is slow for the same reason.
    expect(await rounds(5, 500)).toEqual([8, 4, 2, 1, 1])
    expect(await rounds(8, 1)).toEqual([1, 1, 1, 1, 2, 2, 3, 3])
  })

  it('starts what waits in order, and nothing overtakes it', async () => {
    const { ask, round, started } = setUp()
    await ask(10)
    for (let i = 0; i < 5; i += 1) {
      await round(1)
      await ask(1)
    }
    expect(started).toEqual([...started].sort((a, b) => a - b))
  })

  it('hands the place on when work fails', async () => {
    const { limit } = setUp({ first: 1, most: 1 })
    const failed = limit.run(() => Promise.reject(new Error('no')))
    const next = limit.run(() => Promise.resolve('done'))
    await expect(failed).rejects.toThrow('no')
    await expect(next).resolves.toBe('done')
  })
})
