import { describe, expect, it } from 'vitest'
import { paintsFor } from '../../src/view/paint.js'
import { matcherOf, windowOf, worstFirst } from '../../src/view/provider-list.js'
import { readAll } from '../../src/view/provider-view.js'
import { statusRows, statusTable } from '../../src/view/status-table.js'
import { cutEnd, cutMiddle, widthOf, wrapTo } from '../../src/view/text-width.js'
import { createTestBusbar } from '../../src/testing.js'

const plain = paintsFor({ isTTY: false }, {})
const coloured = paintsFor({ isTTY: true }, {})
const LONG = `https://api.example.com/v1/${'segment/'.repeat(20)}`.slice(0, 120)
const REASON = `their page is red — 状態は赤 ${'x'.repeat(200)} and more`

/** Ids of 128 characters among short ones, in every health. */
async function fleet(size: number) {
  const busbar = createTestBusbar()
  for (let i = 0; i < size; i += 1) {
    const id = i % 2 === 0 ? `p-${i}` : `${LONG}${String(i).padStart(8, '0')}`
    const provider = await busbar.provider(
      id,
      i % 3 === 0 ? { probe: { kind: 'tcp', host: 'a', port: 1 } } : {},
    )
    if (i % 5 === 1) await provider.trip({ reason: REASON })
    if (i % 5 === 2) await provider.markDegraded({ reason: REASON, forMs: 90_000 })
    if (i % 5 === 3) await provider.markTerminated()
  }
  return (await readAll(busbar)).views
}

describe('the table of a large fleet', () => {
  it.each([40, 60, 80, 100, 120, 200])(
    'is never wider than %d columns, in colour or not',
    async (columns) => {
      const views = await fleet(40)
      for (const paints of [plain, coloured]) {
        const table = statusTable(views, paints, { columns })
        for (const line of table.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
      }
    },
  )

  it.each([60, 120])(
    'shows both ends of a long id at %d columns, and one or two lines a provider',
    async (columns) => {
      const views = await fleet(40)
      const { rows } = statusRows(views, plain, { columns, reasonLines: 1 })
      expect(rows).toHaveLength(40)
      rows.forEach((lines, at) => {
        expect(lines.length).toBeLessThanOrEqual(columns === 120 ? 1 : 2)
        if (at % 2 === 1) expect(lines[0]).toMatch(new RegExp(`^https://a\\S*…\\S*${at} `))
        else expect(lines[0]).toMatch(new RegExp(`^p-${at} `))
      })
    },
  )

  it('is whole, one line a provider, where nobody says how wide it may be: in a pipe, for grep', async () => {
    const views = await fleet(40)
    const lines = statusTable(views, plain).split('\n')
    expect(lines).toHaveLength(41)
    for (const { snapshot } of views) {
      const line = lines.find((text) => text.startsWith(`${snapshot.id} `)) ?? ''
      expect(line).toContain(snapshot.mark === 'degraded' || snapshot.state === 'open' ? REASON : '-')
    }
  })

  it('keeps its columns where they were, when values become shorter', async () => {
    const [first, later] = [await fleet(10), (await fleet(10)).slice(0, 1)]
    const { widths, head } = statusRows(first, plain, { columns: 120 })
    expect(statusRows(later, plain, { columns: 120, widths }).head).toBe(head)
  })

  it('has the worst first, equal ones as they were registered', async () => {
    const ids = worstFirst(await fleet(10)).map(({ snapshot }) => snapshot.health)
    const order = ['unhealthy', 'unhealthy', 'terminated', 'terminated', 'degraded', 'degraded']
    expect(ids).toEqual([...order, ...Array.from({ length: 4 }, () => 'healthy')])
  })
})

describe('a part of a list', () => {
  const blocks = [['a'], ['b', 'b2'], ['c'], ['d', 'd2'], ['e']]

  it.each([
    [0, 3, ['a', 'b', 'b2'], 0, 3],
    [1, 3, ['b', 'b2', 'c'], 1, 2],
    [-5, 2, ['a'], 0, 4],
    [99, 3, ['d', 'd2', 'e'], 3, 0],
    [0, 1, ['a'], 0, 4],
    [1, 1, ['b'], 1, 3], // a block that does not fit at all is cut
    [2, 99, ['a', 'b', 'b2', 'c', 'd', 'd2', 'e'], 0, 0],
  ])('from block %d on, in %d lines', (first, room, lines, above, below) => {
    expect(windowOf(blocks, first, room)).toMatchObject({ first: above, lines, below })
  })

  it('of nothing is nothing', () =>
    expect(windowOf([], 3, 5)).toMatchObject({ lines: [], first: 0, below: 0 }))
})

describe('a pattern of ids', () => {
  it.each([
    ['open*', 'openai', true],
    ['open*', 'my-openai', false],
    ['*eu*', 'openai-eu-1', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['*', '', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b-d', false],
    [`${'*a'.repeat(60)}b`, 'a'.repeat(128), false], // a regular expression would never come back
  ])('%s and %s: %s', (pattern, id, expected) => expect(matcherOf(pattern)(id)).toBe(expected))
})

describe('texts for a screen', () => {
  it('are as wide as a terminal shows them', () => {
    expect(['abc', '\u001b[31mabc\u001b[39m', '日本', 'e\u0301', '👍🏽', '●', ''].map(widthOf)).toEqual([
      3, 3, 4, 1, 2, 1, 0,
    ])
  })

  it('are cut at the end, with their colours ended', () => {
    expect(cutEnd('abcdef', 6)).toBe('abcdef')
    expect(cutEnd('abcdef', 4)).toBe('abc…')
    expect(cutEnd(coloured.red('abcdef') + coloured.bold('x'), 4)).toBe(
      coloured.red('abc…') + coloured.bold(''),
    )
    expect(widthOf(cutEnd('日本語日本語', 5))).toBeLessThanOrEqual(5)
  })

  it('are cut in the middle, if they are ids', () => {
    expect([cutMiddle('abcdefgh', 8), cutMiddle('abcdefgh', 7), cutMiddle('abcdefgh', 4)]).toEqual([
      'abcdefgh',
      'abc…fgh',
      'ab…h',
    ])
    for (let width = 1; width < 8; width += 1) expect(cutMiddle('abcdefgh', width)).toHaveLength(width)
  })

  it('are wrapped, long words too', () => {
    expect(wrapTo('a bb ccccccc d', 4)).toEqual(['a bb', 'cccc', 'ccc', 'd'])
  })
})
