import { describe, expect, it } from 'vitest'
import { Limit } from '../../src/client/limit.js'
import { deferred } from '../harness/deferred.js'

/** Work that takes as long as the test says, on a clock of its own. */
function setUp({ least = 2, most = 8, targetMs = 100 } = {}) {
  let now = 0
  const limit = new Limit({ least, most, targetMs, clock: { now: () => now } })
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

  it('halves once after a slow round, never below its least, and then grows slowly', async () => {
    const { ask, round } = setUp()
    await ask(200)
    for (const ms of [1, 1, 1]) await round(ms)
    expect(await round(500)).toBe(8)
    const after: number[] = []
    for (let i = 0; i < 6; i += 1) after.push(await round(500))
    expect(after.at(-1)).toBe(2)
    const slowly: number[] = []
    for (let i = 0; i < 3; i += 1) slowly.push(await round(1))
    expect(slowly.every((count) => count <= 4)).toBe(true)
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
    const { limit } = setUp({ least: 1, most: 1 })
    const failed = limit.run(() => Promise.reject(new Error('no')))
    const next = limit.run(() => Promise.resolve('done'))
    await expect(failed).rejects.toThrow('no')
    await expect(next).resolves.toBe('done')
  })
})
