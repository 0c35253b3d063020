import type { WriteStream } from 'node:tty'
import { describe, expect, it } from 'vitest'
import { LiveReporter } from '../../src/cli/start/live-reporter.js'
import { frameOf } from '../../src/cli/watch/frame.js'
import { ListState } from '../../src/cli/watch/list-state.js'
import { paintsFor } from '../../src/view/paint.js'
import { worstFirst } from '../../src/view/provider-list.js'
import { readAll } from '../../src/view/provider-view.js'
import { widthOf } from '../../src/view/text-width.js'
import { createTestBusbar } from '../../src/testing.js'

const plain = paintsFor({ isTTY: false }, {})

/** A person before a screen of so many lines, and 300 providers. */
async function setUp(rows: number, columns = 100) {
  const busbar = createTestBusbar()
  for (let i = 0; i < 300; i += 1) await busbar.provider(`${i < 100 ? 'openai' : 'mistral'}-${i}`, {})
  await busbar.get('mistral-250')?.trip({ reason: 'red page' })
  const { views: read, unreadable } = await readAll(busbar)
  const scene = {
    views: worstFirst(read),
    unreadable,
    read: 300,
    pausedQueues: [],
    groups: [],
    events: [],
    away: undefined,
  }
  const list = new ListState()
  const address = { redis: 'redis://h:1', namespace: 'n' }
  const look = () => {
    const lines = frameOf(scene, list, { title: 'busbar watch', address, paints: plain, columns, rows })
    const ids = lines.flatMap((line) => /^(openai|mistral)-\d+/.exec(line)?.[0] ?? [])
    const hidden = lines.find((line) => line.startsWith('↑')) ?? ''
    return { lines, ids, hidden, foot: lines.at(-1) ?? '' }
  }
  const press = (...keys: string[]) =>
    keys.map((key) => list.press(key.length > 1 ? { name: key, text: '' } : { name: '', text: key }))
  look()
  return { look, press }
}

describe('busbar watch, of 300 providers', () => {
  it('has the worst on the screen, and says how many are hidden', async () => {
    const { look } = await setUp(20)
    const { lines, ids, hidden } = look()
    expect(lines).toHaveLength(20)
    expect(ids).toHaveLength(13)
    expect(ids[0]).toBe('mistral-250')
    expect(hidden).toBe('↑ 0 above  ↓ 287 below  of 300')
  })

  it('scrolls by lines, by pages, to both ends and not beyond', async () => {
    const { look, press } = await setUp(20)
    const hiddenAfter = (...keys: string[]) => {
      press(...keys)
      return look().hidden
    }
    expect(hiddenAfter('up')).toBe('↑ 0 above  ↓ 287 below  of 300')
    expect(hiddenAfter('down', 'j', 'k')).toBe('↑ 1 above  ↓ 286 below  of 300')
    expect(hiddenAfter('pagedown')).toBe('↑ 14 above  ↓ 273 below  of 300')
    expect(hiddenAfter(' ')).toBe('↑ 27 above  ↓ 260 below  of 300')
    expect(hiddenAfter('pageup')).toBe('↑ 14 above  ↓ 273 below  of 300')
    expect(hiddenAfter('end')).toBe('↑ 287 above  ↓ 0 below  of 300')
    expect(hiddenAfter('down')).toBe('↑ 287 above  ↓ 0 below  of 300')
    expect(hiddenAfter('up')).toBe('↑ 286 above  ↓ 1 below  of 300')
    expect(hiddenAfter('home')).toBe('↑ 0 above  ↓ 287 below  of 300')
  })

  it('filters by a part of the id, or a pattern, as it is typed', async () => {
    const { look, press } = await setUp(20)
    press('end', '/', 'O', 'p', 'E', 'n')
    expect(look()).toMatchObject({ hidden: '↑ 0 above  ↓ 87 below  of 100' })
    expect(look().foot).toMatch(/^\/OpEn_ /)
    expect(look().lines[1]).toMatch(/\/OpEn: 100 of 300/)
    press('backspace', 'q', 'escape', '/', '*', '-', '2', '9', '?', 'enter')
    expect(look().ids).toEqual(Array.from({ length: 10 }, (_, at) => `mistral-29${at}`))
    expect(press('x')).toEqual(['none'])
    press('/', 'z')
    expect(look().lines).toContain('No provider matches *-29?z.')
    press('escape')
    expect(look().hidden).toBe('↑ 0 above  ↓ 287 below  of 300')
  })

  it('ends by q, and by Ctrl-C also while something is typed', async () => {
    const { press } = await setUp(20)
    expect(press('q')).toEqual(['quit'])
    expect(press('/', 'q', 'ctrl-c')).toEqual(['redraw', 'redraw', 'quit'])
  })

  it.each([1, 3, 5, 6, 7, 8])('draws no more than %d lines where there are no more', async (rows) => {
    const { look } = await setUp(rows, 30)
    expect(look().lines.length).toBeLessThanOrEqual(rows)
  })
})

describe('the live view of busbar start', () => {
  it('is the frame of busbar watch in place: each is drawn over the last, with notes among the events', async () => {
    const busbar = createTestBusbar()
    for (const id of ['one', 'two']) await busbar.provider(id, {})
    await busbar.get('two')?.trip({ reason: 'red page' })
    const { views } = await readAll(busbar)
    const written: string[] = []
    const out = { columns: 80, rows: 20, isTTY: false, write: (text: string) => written.push(text) }
    // Of a terminal it uses its size and `write` alone.
    const reporter = new LiveReporter(out as unknown as WriteStream)
    reporter.ready({ redis: 'redis://h:1', namespace: 'n' })
    reporter.status(views)
    reporter.note('worker-1 ended, and is started again')
    const [first = '', second = ''] = written.slice(1)
    const linesOf = (frame: string) => frame.split('\u001b[J')[0]?.split('\r\n') ?? []
    expect(linesOf(first).findIndex((line) => line.startsWith('two '))).toBe(4)
    expect(linesOf(first).at(-1)).toMatch(/^Ctrl-C ends it\. .* busbar explain two\W+K$/)
    expect(second.startsWith(`\u001b[?7l\u001b[${linesOf(first).length - 1}A\r`)).toBe(true)
    expect(linesOf(second).some((line) => /^[\d:]+ worker-1 ended/.test(line))).toBe(true)
    expect(linesOf(second).every((line) => widthOf(line) < 80)).toBe(true)
    reporter.close()
    expect(written.at(-1)).toBe('\u001b[?25h\n')
  })
})
