import { describe, expect, it } from 'vitest'
import { Deadlines, type Deadline } from '../../src/client/shared/deadlines.js'
import { eventually } from '../harness/eventually.mjs'
import { besideMachine } from '../harness/machine.js'

/**
 * How late it fired, ms; negative when early. On an idle loop some 16 ms at most; a machine that is busy with
 * something else may stop this process for longer, and then a plain timer is late as well.
 */
function lateness(deadlines: Deadlines, ms: number): Promise<number> {
  const began = performance.now()
  return new Promise((resolve) => {
    deadlines.set(ms, () => resolve(performance.now() - began - ms))
  })
}

/** The same by a timer of its own. */
function latenessOfTimer(ms: number): Promise<number> {
  const began = performance.now()
  return new Promise((resolve) => setTimeout(() => resolve(performance.now() - began - ms), ms))
}

/** One turn of the wheel and a little, at most. */
const LONGEST_OF_WHEEL_MS = 4_080

describe('a deadline', () => {
  it.each([1, 2, 7, 8, 9, 15, 16, 17, 50, 100, 333])(
    'of %i ms is never early, and a few ms late',
    async (ms) => {
      const deadlines = new Deadlines()
      const late: number[] = []
      const timers: number[] = []
      for (let round = 0; round < 5; round += 1) {
        const both = await Promise.all([lateness(deadlines, ms), latenessOfTimer(ms)])
        late.push(both[0])
        timers.push(both[1])
      }
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
      // The best of five: what the wheel adds, not what the machine does.
      expect(Math.min(...late)).toBeLessThanOrEqual(30 + Math.max(0, Math.min(...timers)))
    },
  )

  it('is never early, wherever in a slot it begins', async () => {
    const deadlines = new Deadlines()
    const all: Promise<number>[] = []
    for (let i = 0; i < 60; i += 1) {
      all.push(lateness(deadlines, 1 + (i % 24) + Math.random()))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(Math.min(...(await Promise.all(all)))).toBeGreaterThanOrEqual(0)
  })

  it('that is cleared never fires, and clearing it again does nothing', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    const cleared = deadlines.set(20, () => (fired += 1))
    cleared.clear()
    cleared.clear()
    await lateness(deadlines, 100)
    expect(fired).toBe(0)
  })

  it('that is cleared twice takes no other one with it', async () => {
    const deadlines = new Deadlines()
    const cleared = deadlines.set(10, () => undefined)
    const late = lateness(deadlines, 60)
    for (let i = 0; i < 10; i += 1) cleared.clear()
    expect(await late).toBeGreaterThanOrEqual(0)
  })

  it('fires once, and clearing it afterwards does nothing', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    const done = deadlines.set(5, () => (fired += 1))
    await lateness(deadlines, 60)
    done.clear()
    await lateness(deadlines, 60)
    expect(fired).toBe(1)
  })

  it('may be set while another fires', async () => {
    const deadlines = new Deadlines()
    const began = performance.now()
    const elapsedMs = await new Promise<number>((resolve) => {
      deadlines.set(10, () => deadlines.set(10, () => resolve(performance.now() - began)))
    })
    expect(elapsedMs).toBeGreaterThanOrEqual(20)
  })

  it('may clear another of the same slot while it fires', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    const slot: { second?: Deadline } = {}
    deadlines.set(10, () => slot.second?.clear())
    slot.second = deadlines.set(10, () => (fired += 1))
    await lateness(deadlines, 60)
    expect(fired).toBe(0)
  })

  it('as long as a turn of the wheel, and longer than one, is on time', async () => {
    const deadlines = new Deadlines()
    const durations = [LONGEST_OF_WHEEL_MS - 1, LONGEST_OF_WHEEL_MS, LONGEST_OF_WHEEL_MS + 1, 4_500]
    const { result: late, lostMs } = await besideMachine(() =>
      Promise.all(durations.map((ms) => lateness(deadlines, ms))),
    )
    // A timer of Node may fire a part of a millisecond early.
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...late)).toBeLessThan(500 + lostMs)
  }, 20_000)

  it('longer than a turn of the wheel can be cleared', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    deadlines.set(4_100, () => (fired += 1)).clear()
    await lateness(deadlines, 4_300)
    expect(fired).toBe(0)
  }, 20_000)

  it('is kept after a blocked loop: what fell due meanwhile fires once, what did not waits', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    const due = lateness(deadlines, 20)
    deadlines.set(30, () => (fired += 1))
    const later = lateness(deadlines, 300)
    const until = performance.now() + 150
    while (performance.now() < until);
    expect(await due).toBeGreaterThanOrEqual(0)
    expect(await later).toBeGreaterThanOrEqual(0)
    expect(fired).toBe(1)
  })

  it('of about a turn of the wheel that is set after a blocked loop is not early', async () => {
    const lengths = [3_950, 4_000, 4_072, 4_080]
    const wheels = lengths.map(() => new Deadlines())
    for (const deadlines of wheels) deadlines.set(1_000, () => undefined)
    const until = performance.now() + 200
    while (performance.now() < until);
    const late = await Promise.all(wheels.map((deadlines, i) => lateness(deadlines, lengths[i] ?? 0)))
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
  })
})

describe('thousands of deadlines', () => {
  it('all fire, each once and none early', async () => {
    const deadlines = new Deadlines()
    const late = await Promise.all(
      Array.from({ length: 20_000 }, (_, i) => lateness(deadlines, 1 + (i % 500))),
    )
    expect(late).toHaveLength(20_000)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
  })

  it('of which all but one are cleared leave that one', async () => {
    const deadlines = new Deadlines()
    let fired = 0
    const others = Array.from({ length: 20_000 }, (_, i) => deadlines.set(1 + (i % 100), () => (fired += 1)))
    const kept = lateness(deadlines, 150)
    for (const other of others) other.clear()
    expect(await kept).toBeGreaterThanOrEqual(0)
    expect(fired).toBe(0)
  })

  it('set and cleared one after the other leave nothing behind that keeps the process busy', async () => {
    const deadlines = new Deadlines()
    for (let i = 0; i < 100_000; i += 1) deadlines.set(1_000, () => undefined).clear()
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    await eventually(() => timers() <= 3) // the waiting itself has some
  })
})

describe('a deadline for an answer', () => {
  it('is put off by a standstill of the loop, so that what came meanwhile is read first', async () => {
    const deadlines = new Deadlines()
    const order: string[] = []
    const fired = new Promise<void>((resolve) => {
      deadlines.setForAnswer(50, () => {
        order.push('fired')
        resolve()
      })
    })
    await new Promise((resolve) => setImmediate(resolve))
    setImmediate(() => order.push('the loop ran'))
    const until = performance.now() + 200
    while (performance.now() < until);
    await fired
    expect(order).toEqual(['the loop ran', 'fired'])
  })

  it('fires where the loop did not stand still, and not once it was cleared', async () => {
    const deadlines = new Deadlines()
    let cleared = 0
    deadlines.setForAnswer(20, () => (cleared += 1)).clear()
    await new Promise<void>((resolve) => deadlines.setForAnswer(40, resolve))
    expect(cleared).toBe(0)
  })
})
