import { describe, expect, it } from 'vitest'
import { brokenBounds, judgeGrowth, type Fault, type Sample } from '../harness/soak/report.mjs'

const MIB = 1_048_576
const flat: Sample = {
  rss: 100 * MIB,
  heapUsed: 20 * MIB,
  handles: 10,
  fds: 25,
  redisMemory: 3 * MIB,
  redisKeys: 40,
  redisClients: 17,
}
/** Nine samples, in which `key` rises by `step` each time. */
const rising = (key: keyof Sample, step: number) =>
  Array.from({ length: 9 }, (_, i) => ({ ...flat, [key]: flat[key] + i * step }))
const brokenOf = (samples: readonly Sample[]) =>
  judgeGrowth(samples)
    .filter(({ broken }) => broken)
    .map(({ what }) => what)

describe('growth in a soak', () => {
  it('is none when all stays as it was', () => {
    expect(judgeGrowth(rising('rss', 0)).map(({ ratio }) => ratio)).toEqual([1, 1, 1, 1, 1, 1, 1])
    expect(brokenOf(rising('rss', 0))).toEqual([])
  })

  it.each([
    ['heapUsed', 2 * MIB, 'heap of a worker after gc'],
    ['rss', 10 * MIB, 'resident memory of a worker'],
    ['handles', 1, 'open handles of a worker'],
    ['fds', 1, 'open files of a worker'],
    ['redisKeys', 6, 'keys in Redis'],
  ] as const)('of %s by %i a sample breaks its bound', (key, step, what) => {
    expect(brokenOf(rising(key, step))).toEqual([what])
  })

  it('below what is noise breaks none, and one odd sample does not count', () => {
    expect(brokenOf(rising('heapUsed', MIB / 2))).toEqual([])
    expect(brokenOf([...rising('rss', 0), { ...flat, rss: 10 * flat.rss }])).toEqual([])
  })
})

describe('the bounds of a soak', () => {
  const fine: Fault = { name: 'a cut', backMs: 900, probedMs: 500, longestWaitMs: 240, overMs: 210 }
  const broken = (fault: Partial<Fault>, strange: Record<string, number> = {}) =>
    brokenBounds({ suffered: [{ ...fine, ...fault }], growth: [], seen: [{ strange }], limitMs: 250 })

  it('hold when every fault was outlived', () => {
    expect(broken({})).toEqual([])
  })

  it('are broken by a worker that is not back, probes that stay away, a call that waits, an error nobody foresaw', () => {
    expect(broken({ backMs: null })).toEqual(['the workers did not come back after: a cut'])
    expect(broken({ probedMs: null })).toEqual(['probes did not go on after: a cut'])
    expect(broken({ longestWaitMs: 400, overMs: 300 })).toEqual(['a call waited 400 ms: a cut'])
    expect(broken({}, { 'TypeError: x': 1 })).toEqual(['a call met TypeError: x'])
  })
})
