import { describe, expect, it } from 'vitest'
import { nextSlot } from '../../src/rules/backpressure.js'
import { generator } from '../harness/random.js'

const BUDGET = 1_000
const FLUSH_MS = 100
const STEP_MS = 5
const OPTIONS = { flushIntervalMs: FLUSH_MS, maxBatchesPerSecond: BUDGET }

interface Worker {
  dueMs: number
  /** When its next failure comes. */
  failsMs: number
  urgentShare: number
  readonly draw: number
}

/** Workers that have something to say all the time, and sometimes something that does not wait. */
class Fleet {
  nextSlotUs = 0
  #nowMs = 1_700_000_000_000
  readonly #random = generator(7)
  readonly #failuresPerSecond: number
  /** When each worker flushes next, and whether its failures are urgent while the store asks for patience. */
  #workers: Worker[] = []
  /** Who is to be looked at, by the step: a large fleet has few that have anything to do in one. */
  readonly #agenda = new Map<number, Worker[]>()

  constructor(workers: number, failuresPerSecond: number) {
    this.#failuresPerSecond = failuresPerSecond
    this.resize(workers)
  }

  resize(workers: number): void {
    this.#workers.length = Math.min(this.#workers.length, workers)
    while (this.#workers.length < workers) {
      const dueMs = this.#nowMs + Math.floor(this.#random() * FLUSH_MS)
      this.#workers.push({ dueMs, failsMs: this.#nextFailure(), urgentShare: 1, draw: this.#random() })
    }
    this.#agenda.clear()
    for (const worker of this.#workers) this.#note(worker)
  }

  #nextFailure(): number {
    return this.#nowMs - (Math.log(1 - this.#random()) * 1_000) / this.#failuresPerSecond
  }

  /** Failures that wait for the flush like any other outcome need no look of their own. */
  #note(worker: Worker): void {
    if (worker.failsMs < this.#nowMs) worker.failsMs = this.#nextFailure()
    const soonerMs = worker.draw < worker.urgentShare ? worker.failsMs : Infinity
    const step = Math.max(Math.ceil(Math.min(worker.dueMs, soonerMs) / STEP_MS) * STEP_MS, this.#nowMs)
    const others = this.#agenda.get(step)
    if (others === undefined) this.#agenda.set(step, [worker])
    else others.push(worker)
  }

  /** Batches per second, one number for each of so many seconds. */
  run(seconds: number): number[] {
    return Array.from({ length: seconds }, () => {
      let batches = 0
      for (const end = this.#nowMs + 1_000; this.#nowMs < end;) {
        const found = this.#agenda.get(this.#nowMs) ?? []
        this.#agenda.delete(this.#nowMs)
        const step = this.#nowMs
        this.#nowMs += STEP_MS // where those who are noted now are looked at again, at the earliest
        for (const worker of found) {
          const slot = nextSlot(this.nextSlotUs, step, OPTIONS)
          this.nextSlotUs = slot.nextSlotUs
          worker.dueMs = step + slot.waitMs
          worker.urgentShare = slot.urgentShare
          batches += 1
          this.#note(worker)
        }
      }
      return batches
    })
  }

  get pace() {
    const { waitMs, urgentShare } = nextSlot(this.nextSlotUs, this.#nowMs, OPTIONS)
    return { waitMs, urgentShare }
  }
}

const NO_PATIENCE = { waitMs: FLUSH_MS, urgentShare: 1 }

const mean = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length

describe('the row of slots of one provider', () => {
  it.each([20, 60])(
    'asks %i workers for no patience: they stay below the budget by themselves',
    (workers) => {
      const fleet = new Fleet(workers, 1)
      const rates = fleet.run(30)
      expect(fleet.pace).toEqual(NO_PATIENCE)
      expect(mean(rates.slice(1))).toBeGreaterThan(workers * 9)
    },
  )

  const cases = [
    { workers: 200, failures: 1 },
    { workers: 2_000, failures: 1 },
    { workers: 2_000, failures: 50, settles: 20 },
    { workers: 20_000, failures: 1 },
    { workers: 100_000, failures: 1 },
  ]
  it.each(cases)(
    'keeps $workers workers with $failures failures a second each within the budget',
    ({ workers, failures, settles = 2 }) => {
      const fleet = new Fleet(workers, failures)
      const rates = fleet.run(settles + 38)
      // The first batches of new workers come unasked, one of each; from then on the slots tell them when. Where
      // half the calls fail and nothing opens, those who do not wait for their slot have to become fewer first.
      const settled = rates.slice(settles)
      const tens = Array.from({ length: 29 }, (_, i) => mean(settled.slice(i, i + 10)))
      console.log(
        `${workers} workers, ${failures} failures/s each: ${rates.slice(0, 6).join(' ')} ... batches a second; ` +
          `then ${mean(settled).toFixed(0)} on average, ${Math.max(...tens).toFixed(0)} in the busiest 10 s; ` +
          `wait ${fleet.pace.waitMs} ms`,
      )
      expect(Math.max(...tens)).toBeLessThanOrEqual(BUDGET)
      // And no more patience than that takes: what is bounded still flows.
      expect(mean(settled)).toBeGreaterThan(BUDGET * 0.6)
    },
  )

  it('asks for no patience again when the fleet has shrunk', () => {
    const fleet = new Fleet(2_000, 1)
    fleet.run(20)
    expect(fleet.pace.waitMs).toBeGreaterThan(2_000)
    fleet.resize(10)
    const rates = fleet.run(20)
    expect(fleet.pace).toEqual(NO_PATIENCE)
    expect(mean(rates.slice(10))).toBeGreaterThan(90)
  })

  it('never asks for more than five minutes, and never for less than the flush interval', () => {
    const nowMs = 1_700_000_000_000
    const far = nextSlot((nowMs + 86_400_000) * 1_000, nowMs, OPTIONS)
    expect(far).toEqual({ nextSlotUs: (nowMs + 300_000) * 1_000, waitMs: 300_000, urgentShare: 0.000333 })
    const past = nextSlot((nowMs - 86_400_000) * 1_000, nowMs, OPTIONS)
    expect(past).toEqual({ nextSlotUs: nowMs * 1_000 + 1_112, ...NO_PATIENCE })
  })

  it('puts slots as far apart as the budget of the caller says', () => {
    const nowMs = 1_700_000_000_000
    const slow = nextSlot(0, nowMs, { flushIntervalMs: 10, maxBatchesPerSecond: 1 })
    expect(slow).toEqual({ nextSlotUs: nowMs * 1_000 + 1_111_112, waitMs: 1_111, urgentShare: 0.009 })
  })
})
