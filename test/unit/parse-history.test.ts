import { describe, expect, it } from 'vitest'
import { parseHistory } from '../../src/redis/parse.js'

/** A member and its score, as Redis gives them. */
const member = (seq: number, status: string, count: number, at: number) => [
  `${String(seq).padStart(12, '0')}:${status}:${count}`,
  String(at),
]

const counts = (newest: readonly unknown[], members: readonly unknown[]) =>
  parseHistory([...newest], [...members]).map(({ status, count }) => [status, count])

describe('a history whose newest run is read before its members', () => {
  const before = member(1, 'timeout', 2, 1_000)

  it('ends with the newest', () => {
    expect(counts(member(2, 'healthy', 3, 1_000), before)).toEqual([
      ['timeout', 2],
      ['healthy', 3],
    ])
  })

  it('has the newest alone while it is the only one, and nothing where there is none', () => {
    expect(counts(member(1, 'healthy', 3, 1_000), [])).toEqual([['healthy', 3]])
    expect(counts([null, null], [])).toEqual([])
    expect(counts([null, null], before)).toEqual([['timeout', 2]])
  })

  it('has a run once that became a member between the two, as it was then', () => {
    const grown = member(2, 'healthy', 9, 1_000)
    expect(counts(member(2, 'healthy', 3, 1_000), [...grown, ...before])).toEqual([
      ['timeout', 2],
      ['healthy', 9],
    ])
  })

  it('leaves out a run that later ones have followed', () => {
    const later = [...member(3, 'degraded', 1, 1_000), ...member(2, 'healthy', 9, 1_000)]
    expect(counts(member(2, 'healthy', 3, 1_000), later)).toEqual([
      ['healthy', 9],
      ['degraded', 1],
    ])
  })

  it('goes by the time where the numbers began again', () => {
    expect(counts(member(1, 'healthy', 3, 90_000), member(7, 'timeout', 1, 1_000))).toEqual([
      ['timeout', 1],
      ['healthy', 3],
    ])
    expect(counts(member(7, 'healthy', 3, 1_000), member(1, 'timeout', 1, 90_000))).toEqual([['timeout', 1]])
  })
})
