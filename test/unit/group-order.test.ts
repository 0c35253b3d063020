import { describe, expect, it } from 'vitest'
import { groupHealthOf } from '../../src/rules/group-health.js'
import {
  drawOfKey,
  hashOf,
  lastResorts,
  orderMembers,
  shareOf,
  type Ranked,
} from '../../src/rules/group-order.js'
import { generator } from '../harness/random.js'

const member = (id: string, given: Partial<Ranked> = {}): Ranked => ({
  id,
  ...{ priority: 0, weight: 1, share: 1, rampShare: 1, admissible: true, marked: false, throttled: false },
  ...given,
})
const ids = (members: readonly Ranked[]): string => members.map(({ id }) => id).join(' ')
const KEYS = Array.from({ length: 4_000 }, (_, i) => `key-${i}`)

/** How many of the keys begin with each member. */
function firsts(members: readonly Ranked[], draw?: () => number): Map<string, number> {
  const found = new Map<string, number>()
  for (const key of KEYS) {
    const drawOf = draw ?? (({ id }: Ranked) => drawOfKey(hashOf(key), hashOf(id)))
    const first = orderMembers(members, drawOf).admissible[0]?.id ?? ''
    found.set(first, (found.get(first) ?? 0) + 1)
  }
  return found
}

describe('the order of a group', () => {
  it.each([
    ['at random', true],
    ['by key', false],
  ])('%s gives each member its weight times its share', (_, atRandom) => {
    const draws = generator(7)
    const members = [member('a', { weight: 3 }), member('b', { weight: 4, share: 0.25 }), member('c')]
    const found = firsts(members, atRandom ? () => 1 - draws() : undefined)
    for (const [id, weight] of [['a', 3] as const, ['b', 1] as const, ['c', 1] as const])
      expect((found.get(id) ?? 0) / KEYS.length, id).toBeCloseTo(weight / 5, 1)
  })

  it('moves only the keys of a member that goes, and those only that a new one takes', () => {
    const firstOf = (key: string, members: readonly Ranked[]) =>
      orderMembers(members, ({ id }) => drawOfKey(hashOf(key), hashOf(id))).admissible[0]?.id
    const [a, b, c] = [member('a'), member('b', { weight: 2 }), member('c')]
    for (const key of KEYS) {
      const [before, after] = [firstOf(key, [a, b, c]), firstOf(key, [a, b])]
      if (before !== 'c') expect(after).toBe(before)
    }
  })

  it('has priorities before weights, weight 0 at the end, and refusals apart', () => {
    const { admissible, refused } = orderMembers(
      [
        member('spare', { weight: 0 }),
        member('second', { priority: 1, weight: 1_000 }),
        member('first', { weight: 0.001 }),
        member('down', { admissible: false, priority: 1 }),
        member('gone', { admissible: false }),
      ],
      () => 0.5,
    )
    expect(ids(admissible)).toBe('first second spare')
    expect(ids(refused)).toBe('gone down')
  })

  it('holds a call back from the only one of its priority while it recovers: the next takes the rest', () => {
    const draws = generator(3)
    const first = member('first', { share: 0.2, rampShare: 0.2 })
    const spare = member('spare', { weight: 0 })
    const behind = member('behind', { priority: 1 })
    for (const draw of [undefined, () => 1 - draws()]) {
      expect((firsts([first, spare, behind], draw).get('first') ?? 0) / KEYS.length).toBeCloseTo(0.2, 1)
      expect((firsts([first, spare], draw).get('spare') ?? 0) / KEYS.length).toBeCloseTo(0.8, 1)
      // One that no other relieves is called rather than none.
      expect(firsts([first, member('down', { admissible: false })], draw).get('first')).toBe(KEYS.length)
    }
    const { admissible } = orderMembers([first, spare, behind], () => 0.5)
    expect(ids(admissible)).toBe('behind spare first')
    // Beside an equal the weights do it, in one draw.
    expect(ids(orderMembers([first, member('equal')], () => 0.5).admissible)).toBe('equal first')
  })

  it.each([
    [0, 0, ''],
    [1, 0, 'open'],
    [1, 1, ''],
    [2, 1, 'open'],
    [3, 0, 'open paused'],
  ])('of minAvailable %i with %i available keeps "%s"', (minAvailable, available, kept) => {
    const refused = [
      member('paused', { throttled: true }),
      member('marked', { marked: true }),
      member('open'),
    ]
    expect(ids(lastResorts(refused, available, minAvailable))).toBe(kept)
  })

  it('gives a degraded member a quarter, and one that recovers its share of the ramp', () => {
    expect([shareOf('healthy', 1), shareOf('degraded', 1), shareOf('healthy', 0.1)]).toEqual([1, 0.25, 0.1])
    expect(shareOf('unhealthy', 1)).toBe(0.25)
  })
})

it.each([
  ['exhausted', []],
  ['exhausted', [{ health: 'unhealthy', admissible: false }]],
  ['ok', [{ health: 'healthy', admissible: true }]],
  [
    'degraded',
    [
      { health: 'healthy', admissible: true },
      { health: 'unhealthy', admissible: false },
    ],
  ],
  ['degraded', [{ health: 'degraded', admissible: true }]],
  [
    'degraded',
    [
      { health: 'healthy', admissible: true },
      { health: 'healthy', admissible: false },
    ],
  ],
] as const)('a group is %s with %j', (health, members) => {
  expect(groupHealthOf(members)).toBe(health)
})
