import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'vitest'

/**
 * For what can be judged in real time only. Beside the test runs a bare timer, in the same process; how late it is says how
 * long the machine itself stood still, and that is charged to nobody.
 *
 * A decision is better judged by the time of the decision (Redis's clock, an event's `at`) or by a clock that the test
 * moves: this is the last resort, never a way to run a failing test again.
 */
export interface Machine {
  /** The longest time by which the bare timer was late since the take began, ms. */
  readonly stoodStillMs: number
  /** All the time by which it was late, ms: what a limit on a duration may be longer by. */
  readonly lostMs: number
}

/** As late as a timer may be on a machine that is not busy, ms. */
export const QUIET_MS = 25
const RETAKES = 3
const TICK_MS = 5

/**
 * Runs `take`. When it fails although the machine was quiet, the test fails. When the machine stood still meanwhile, the
 * take says nothing, and is repeated, 3 times at most; then the test is skipped, and says why.
 */
export async function onQuietMachine(
  { task, skip }: Pick<TestContext, 'task' | 'skip'>,
  take: (machine: Machine) => Promise<unknown>,
): Promise<void> {
  const stood: number[] = []
  for (;;) {
    const machine = watchMachine()
    try {
      await take(machine)
      return
    } catch (error) {
      if (machine.stoodStillMs <= QUIET_MS) throw error
      stood.push(Math.round(machine.stoodStillMs))
      const problem = error instanceof Error ? error.message.split('\n')[0] : String(error)
      console.log(`machine: stood still for ${stood.at(-1) ?? 0} ms, so this says nothing: ${problem ?? ''}`)
    } finally {
      machine.stop()
    }
    if (stood.length > RETAKES) {
      task.meta.skipReason = `machine: it stood still for ${stood.join(', ')} ms in all ${stood.length} takes`
      skip(task.meta.skipReason)
    }
  }
}

/** Runs `work`; answers what came of it, how long it took, and how much of that the machine lost. */
export async function besideMachine<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly ms: number } & Machine> {
  const machine = watchMachine()
  const began = performance.now()
  try {
    const result = await work()
    const ms = performance.now() - began
    await sleep(TICK_MS) // a timer that is late now had no chance to say so
    return { result, ms, stoodStillMs: machine.stoodStillMs, lostMs: machine.lostMs }
  } finally {
    machine.stop()
  }
}

/** Watches until `stop`. What blocks this process's own loop counts too. */
export function watchMachine(): Machine & { stop(): void } {
  let latestMs = 0
  let lostMs = 0
  let last = performance.now()
  const lateNow = () => Math.max(0, performance.now() - last - TICK_MS)
  const look = () => {
    latestMs = Math.max(latestMs, lateNow())
    lostMs += lateNow()
    last = performance.now()
  }
  const timer = setInterval(look, TICK_MS)
  return {
    get stoodStillMs() {
      return Math.max(latestMs, lateNow())
    },
    get lostMs() {
      return lostMs + lateNow()
    },
    stop: () => clearInterval(timer),
  }
}
