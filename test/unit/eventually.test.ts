import { describe, expect, it } from 'vitest'
import { eventually, holdsWithin } from '../harness/eventually.mjs'

describe('eventually', () => {
  it('looks again until a question is answered with yes', async () => {
    let looks = 0
    await eventually(() => (looks += 1) === 3, { everyMs: 1 })
    expect(looks).toBe(3)
  })

  it('looks again until an assertion holds', async () => {
    let looks = 0
    await eventually(async () => expect(await Promise.resolve((looks += 1))).toBe(3), { everyMs: 1 })
    expect(looks).toBe(3)
  })

  it('says what it waited for, and what the last look found', async () => {
    const limits = { timeoutMs: 5, everyMs: 1 }
    await expect(eventually(() => false, { what: 'the circuit opens', ...limits })).rejects.toThrow(
      'not within 5 ms: the circuit opens',
    )
    await expect(eventually(() => limits.everyMs > 7, limits)).rejects.toThrow('limits.everyMs > 7')
    await expect(eventually(() => Promise.reject(new Error('no such provider')), limits)).rejects.toThrow(
      /not within 5 ms: .*: no such provider$/,
    )
  })

  it('looks once more when its time passed without a look, as on a machine that stood still', async () => {
    let looks = 0
    const stoodStill = () => {
      const until = performance.now() + 10
      while (looks === 0 && performance.now() < until);
      return (looks += 1) === 2
    }
    await eventually(stoodStill, { timeoutMs: 5, everyMs: 1 })
  })

  it('does not wait for a condition that gives no answer', async () => {
    const silent = () => new Promise<boolean>(() => undefined)
    await expect(eventually(silent, { timeoutMs: 5 })).rejects.toThrow('the last look got no answer')
    expect(await holdsWithin(silent, 5)).toBe(false)
    expect(await holdsWithin(() => true, 0)).toBe(true)
  })
})
