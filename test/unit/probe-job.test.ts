import { describe, expect, it } from 'vitest'
import type { Claim } from '../../src/model/ports/schedule.js'
import { jobsOf } from '../../src/probes/probe-job.js'
import { ProbeSlots } from '../../src/probes/probe-slots.js'
import { deferred } from '../harness/deferred.js'

const claim = (id: string, more: Partial<Claim> = {}): Claim => ({
  ...{ id, intervalMs: 1_000, needs: '', why: 'scheduled' },
  ...more,
})
const many = (count: number) => Array.from({ length: count }, (_, i) => claim(`p${i}`))

describe('jobs of what was claimed', () => {
  it.each([
    [1, [1]],
    [7, [1, 1, 1, 1, 1, 1, 1]],
    [8, [8]],
    [9, [4, 5]],
    [20, [6, 7, 7]],
    [64, [8, 8, 8, 8, 8, 8, 8, 8]],
  ])('%i probes are jobs of %j', (count, sizes) => {
    const jobs = jobsOf({ atMs: 5, claimed: many(count) }).get('') ?? []
    expect(jobs.map(({ data }) => data.providers.length)).toEqual(sizes)
    expect(jobs.flatMap(({ data }) => data.providers.map(([id]) => id))).toEqual(
      many(count).map(({ id }) => id),
    )
  })

  it('say which provider and why, and go first where they were asked for; an id bears the time of the claim', () => {
    const claimed = [claim('team:a', { why: 'recovery' }), claim('b', { why: 'early' }), claim('c')]
    const jobs = jobsOf({ atMs: 123, claimed }).get('') ?? []
    expect(jobs.map(({ name, id, first }) => [name, id, first])).toEqual([
      ['recovery team:a', 'recovery~team~a~at123', true],
      ['early b', 'early~b~at123', true],
      ['scheduled c', 'scheduled~c~at123', false],
    ])
    expect(jobs[0]?.data).toEqual({ do: 'probe', why: 'recovery', at: 123, providers: [['team:a', 1_000]] })
  })

  it('are apart by what they need', () => {
    const claimed = [claim('a', { needs: 'function/x' }), claim('b'), claim('c', { needs: 'function/x' })]
    const jobs = jobsOf({ atMs: 1, claimed })
    expect([...jobs.keys()]).toEqual(['function/x', ''])
    expect(jobs.get('function/x')?.map(({ name }) => name)).toEqual(['scheduled a', 'scheduled c'])
  })
})

/** After so long no probe is quick, ms. */
const SLOW_MS = 20

describe('slots', () => {
  it('are for probes: as many are made at once, those of one job that find none wait, and no more is taken', async () => {
    let now = 0
    const slots = new ProbeSlots(2, () => now)
    const ends = [0, 1, 2, 3].map(() => deferred<number>())
    const begun: number[] = []
    expect(slots.free).toBe(true)
    slots.reserve()(4)
    expect(slots.free).toBe(false)
    const all = slots.all([0, 1, 2, 3], (i) => {
      begun.push(i)
      return ends[i]?.promise ?? Promise.resolve(0)
    })
    expect(begun).toEqual([0, 1])
    const ended = slots.ended()
    ends[1]?.resolve(1)
    await ended
    expect(begun).toEqual([0, 1, 2])
    now = SLOW_MS
    expect(slots.free).toBe(false)
    for (const end of ends) end.resolve(0)
    expect(await all).toHaveLength(4)
    await slots.empty()
    expect(slots.free).toBe(true)
  })

  it('go to the next probe once one is made, and those made are under way until they are recorded', async () => {
    let now = 0
    const slots = new ProbeSlots(1, () => now)
    const recorded = deferred<number>()
    const begun: number[] = []
    slots.reserve()(2)
    const all = slots.all([0, 1], (i, made) => {
      begun.push(i)
      if (i === 0) made()
      return recorded.promise
    })
    await Promise.resolve()
    expect(begun).toEqual([0, 1])
    expect(slots.free).toBe(false)
    recorded.resolve(0)
    await all
    now = SLOW_MS
    expect(slots.free).toBe(true)
  })

  it('let one job be fetched ahead where probes are quick; one that is being fetched counts for a large one', () => {
    let now = 0
    const slots = new ProbeSlots(16, () => now)
    slots.reserve()(16)
    expect(slots.free).toBe(false)
    void slots.all([0], (_, made) => {
      made()
      return new Promise(() => undefined)
    })
    expect(slots.free).toBe(true)
    const fetched = slots.reserve()
    expect(slots.free).toBe(false)
    fetched(0)
    expect(slots.free).toBe(true)
    now = SLOW_MS
    expect(slots.free).toBe(false)
  })

  it('say so when a fetch brought nothing', async () => {
    const slots = new ProbeSlots(1)
    const fetched = slots.reserve()
    const ended = slots.ended()
    fetched(0)
    await ended
    expect(slots.free).toBe(true)
  })

  it('are free again after a probe that failed', async () => {
    const slots = new ProbeSlots(1)
    slots.reserve()(1)
    await expect(slots.all([0], () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(slots.free).toBe(true)
  })
})
