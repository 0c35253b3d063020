import { expect, it, type TestContext } from 'vitest'
import { besideMachine, onQuietMachine, watchMachine } from '../harness/machine.js'

const standStill = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Stands in for the context of a test that is judged. */
function judged() {
  const context = {
    task: { meta: {} },
    skip: (reason: string) => {
      throw new Error(`skipped: ${reason}`)
    },
  }
  // Of a test's context only these two are used.
  return context as unknown as Pick<TestContext, 'task' | 'skip'> & {
    task: { meta: { skipReason?: string } }
  }
}

it('knows how long the machine stood still', async () => {
  const { result, ms, stoodStillMs } = await besideMachine(() => {
    standStill(60)
    return Promise.resolve('done')
  })
  expect(result).toBe('done')
  expect(ms).toBeGreaterThanOrEqual(60)
  expect(stoodStillMs).toBeGreaterThanOrEqual(50)
})

it('takes again what failed while the machine stood still, and no more than three times', async () => {
  let takes = 0
  const busy = () => {
    takes += 1
    standStill(50)
    return Promise.reject(new Error('too late'))
  }
  const context = judged()
  await expect(onQuietMachine(context, busy)).rejects.toThrow(/^skipped: machine: .* in all 4 takes$/)
  expect(takes).toBe(4)
  expect(context.task.meta.skipReason).toMatch(/^machine: it stood still for \d+, \d+, \d+, \d+ ms/)
})

it('passes at the first take that says something', async () => {
  let takes = 0
  await onQuietMachine(judged(), () => {
    takes += 1
    if (takes === 1) standStill(50)
    return takes === 1 ? Promise.reject(new Error('too late')) : Promise.resolve()
  })
  expect(takes).toBe(2)
})

it('fails at once what fails on a quiet machine', async () => {
  // The machine may be anything but quiet while this runs, so look for a moment in which it is.
  for (let looks = 0; looks < 50; looks += 1) {
    const machine = watchMachine()
    let takes = 0
    const failing = () => {
      takes += 1
      return Promise.reject(new Error('wrong'))
    }
    const error: unknown = await onQuietMachine(judged(), failing).catch((error: unknown) => error)
    machine.stop()
    if (machine.stoodStillMs > 20) continue
    expect(error).toMatchObject({ message: 'wrong' })
    expect(takes).toBe(1)
    return
  }
})
