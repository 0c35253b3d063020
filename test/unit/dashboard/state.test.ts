import { describe, expect, it } from 'vitest'
import { bucketsOf, totalOf } from '../../../src/dashboard/chart/buckets.js'
import { circuitSpans } from '../../../src/dashboard/chart/circuit-spans.js'
import { cutText } from '../../../src/dashboard/store/cut.js'
import {
  NOTHING,
  reduce,
  type FleetState,
  type Message,
  type Received,
} from '../../../src/dashboard/store/fleet-state.js'
import { filterViews, countStates } from '../../../src/dashboard/store/filter.js'
import { fleetHash, NO_FILTER, providerHash, routeOf } from '../../../src/dashboard/store/route.js'
import { standing } from '../../../src/dashboard/store/standing.js'
import { tabTitle } from '../../../src/dashboard/store/title.js'
import { viewAt } from '../../../src/dashboard/store/view.js'
import { holdOrder, rangeOf, rowsOf } from '../../../src/dashboard/store/windowing.js'
import type { ProviderEvent } from '../../../src/index.js'
import { createTestBusbar } from '../../../src/testing.js'
import { readView, viewJson } from '../../../src/view/provider-view.js'

/** A provider as the stream tells it. */
async function received(id: string, change?: 'trip' | 'mark'): Promise<Received> {
  const busbar = createTestBusbar()
  const provider = await busbar.provider(id, { group: 'llm' })
  if (change === 'trip') await provider.trip({ reason: 'red page', forMs: 30_000 })
  if (change === 'mark') await provider.markTerminated({ reason: 'moved', forMs: 30_000 })
  return JSON.parse(JSON.stringify(viewJson(await readView(provider)))) as Received
}

const after = (messages: readonly Message[], state: FleetState = NOTHING, now = 1_000) =>
  reduce(state, messages, now)
const ids = ({ providers }: FleetState) => [...providers.keys()]

describe('the state of the dashboard', () => {
  it('shows the former providers until the whole state is there, and then no other', async () => {
    const [a, b] = [await received('a'), await received('b')]
    const first = after([{ event: 'reset' }, { event: 'snapshot', data: a }, { event: 'synced' }])
    expect([ids(first), first.synced]).toEqual([['a'], true])
    const half = after([{ event: 'reset' }, { event: 'snapshot', data: b }], first)
    expect(ids(half)).toEqual(['a'])
    const whole = after([{ event: 'synced' }, { event: 'snapshot', data: a }], half)
    expect(ids(whole)).toEqual(['b', 'a'])
    expect(ids(after([{ event: 'removed', data: { id: 'b' } }], whole))).toEqual(['a'])
    expect([ids(first), NOTHING.providers.size]).toEqual([['a'], 0]) // none of them was changed
  })

  it('knows how old it is, by which clock, and since when Redis is away', () => {
    const lost = after([{ event: 'store', data: { kind: 'store_lost', at: 900 } }])
    expect(lost.storeLostAt).toBe(900)
    expect(after([{ event: 'store', data: { kind: 'store_lost', at: 950 } }], lost).storeLostAt).toBe(900)
    const reading = { at: 5_000, unreadable: [{ id: 'x', why: 'wrong type' }], pausedProbeQueues: ['q'] }
    const read = after([{ event: 'read', data: reading }], lost, 2_000)
    expect(read).toMatchObject({ storeLostAt: null, readAt: 2_000, clockAheadMs: 3_000, pausedQueues: ['q'] })
    expect(standing(lost, 'live', 1_000)).toEqual({ kind: 'store_lost', since: 900 })
    expect(standing(read, 'live', 17_000).kind).toBe('live')
    expect(standing(read, 'live', 17_001).kind).toBe('old')
    expect(standing(read, 'lost', 2_000).kind).toBe('unlinked')
    expect(standing(read, 'unauthorized', 99_000).kind).toBe('unauthorized')
    expect(standing(NOTHING, 'connecting', 99_000).kind).toBe('connecting')
  })

  it('keeps the newest 200 events', () => {
    const event = (version: number): Message => ({
      event: 'event',
      data: { kind: 'closed', version } as unknown as ProviderEvent, // the reducer looks at none of it
    })
    const { events } = after(Array.from({ length: 250 }, (_, at) => event(at)))
    expect([events.length, events[0]?.version]).toEqual([200, 50])
  })

  it('lets times run on by the clock of Redis: a cooldown ends, a mark ends, in whole seconds', async () => {
    const [open, marked] = [await received('a', 'trip'), await received('b', 'mark')]
    // The browser is an hour behind.
    const clock = { clockAheadMs: 3_600_000, readAt: 0 }
    const at = (ms: number) => open.at - clock.clockAheadMs + ms
    expect(viewAt(open, at(-500), clock).snapshot.retryAfterMs).toBe(30_000)
    expect(viewAt(open, at(10_500), clock).snapshot).toMatchObject({ state: 'open', retryAfterMs: 20_000 })
    expect(viewAt(open, at(30_000), clock).snapshot).toMatchObject({ state: 'half_open', blockedBy: [] })
    const then = marked.at - clock.clockAheadMs
    expect(viewAt(marked, then + 29_001, clock).snapshot).toMatchObject({
      health: 'terminated',
      markForMs: 1_000,
    })
    expect(viewAt(marked, then + 30_000, clock).snapshot).toMatchObject({ health: 'healthy', mark: null })
  })

  it('narrows the list by id, state and group, and tells the tab how many refuse', async () => {
    const all = [await received('openai', 'trip'), await received('exports', 'mark'), await received('maps')]
    const views = all.map((each) => viewAt(each, each.at, { clockAheadMs: 0, readAt: each.at }))
    const found = (part: Partial<typeof NO_FILTER>) =>
      filterViews(views, { ...NO_FILTER, ...part }).map(({ snapshot }) => snapshot.id)
    expect(found({})).toHaveLength(3)
    expect(found({ find: 'A' })).toEqual(['openai', 'maps'])
    expect(found({ find: '?a*' })).toEqual(['maps'])
    expect(found({ state: 'open' })).toEqual(['openai'])
    expect(found({ state: 'marked', group: 'llm' })).toEqual(['exports'])
    expect(found({ group: 'other' })).toEqual([])
    expect(found({ state: 'no such' })).toHaveLength(3)
    expect(countStates(views).get('healthy')).toBe(1)
    const about = { title: 'Busbar', environment: 'prod', readOnly: false, namespace: 'n', version: '1' }
    expect(tabTitle({ ...about, actor: 'a', actions: [] }, 'fleet', views)).toBe('(2) Fleet - Busbar (prod)')
  })
})

describe('the address of the dashboard', () => {
  it('names every view, and comes back from any id and filter', () => {
    const filter = { find: 'a&b=*', state: 'open', group: 'llm' }
    expect(routeOf(fleetHash(filter))).toEqual({ view: 'fleet', filter })
    expect(fleetHash(NO_FILTER)).toBe('#/')
    for (const id of ['eu/openai:1', 'a?b', '%', 'ünï'])
      expect(routeOf(providerHash(id))).toEqual({ view: 'provider', id })
    expect(routeOf('#/provider/%E0%A4%A')).toEqual({ view: 'provider', id: '%E0%A4%A' })
    expect(routeOf('#/groups')).toEqual({ view: 'groups' })
    expect(routeOf('#/nothing')).toEqual({ view: 'fleet', filter: NO_FILTER })
    expect(routeOf('')).toEqual({ view: 'fleet', filter: NO_FILTER })
  })
})

describe('the list of the dashboard', () => {
  it('draws the rows on the screen with eight beyond each edge, never more than there are', () => {
    const screen = (above: number) => rangeOf(1_000, 50, { above, height: 500 })
    expect(screen(-200)).toEqual({ from: 0, to: 14 })
    expect(screen(0)).toEqual({ from: 0, to: 18 })
    expect(screen(25_000)).toEqual({ from: 492, to: 518 })
    expect(screen(49_800)).toEqual({ from: 988, to: 1_000 })
    expect(rangeOf(3, 50, { above: 9_000, height: 500 })).toEqual({ from: 3, to: 3 })
    expect(rangeOf(0, 50, { above: 0, height: 500 })).toEqual({ from: 0, to: 0 })
    expect(rangeOf(10, 50, { above: -9_000, height: 500 })).toEqual({ from: 0, to: 0 })
  })

  it('keeps the row with the focus, in its place', () => {
    expect(rowsOf({ from: 4, to: 7 }, undefined)).toEqual([4, 5, 6])
    expect(rowsOf({ from: 4, to: 7 }, 5)).toEqual([4, 5, 6])
    expect(rowsOf({ from: 4, to: 7 }, 1)).toEqual([1, 4, 5, 6])
    expect(rowsOf({ from: 4, to: 7 }, 9)).toEqual([4, 5, 6, 9])
  })

  it('holds its order under a pointer; what is new comes last', () => {
    expect(holdOrder(['d', 'c', 'b', 'a'], ['a', 'b', 'c'], (id) => id)).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('the charts of the dashboard', () => {
  it('spread a run of outcomes until the next, and lose none within the span', () => {
    const history = [
      { at: 0, status: 'healthy', count: 40 },
      { at: 40, status: 'timeout', count: 1 },
      { at: 50, status: 'degraded', count: 5 },
    ] as const
    const buckets = bucketsOf(history, { from: 0, to: 100 }, 10)
    expect(buckets.map(({ healthy }) => Math.round(healthy)).slice(0, 5)).toEqual([16, 8, 8, 8, 0])
    expect(buckets[4]).toMatchObject({ at: 40, healthy: 0, failed: 1 })
    expect(buckets.reduce((sum, each) => sum + totalOf(each), 0)).toBeCloseTo(46)
    const later = bucketsOf(history, { from: 20, to: 60 }, 4)
    expect(later.reduce((sum, { healthy }) => sum + healthy, 0)).toBeLessThan(40)
    expect(bucketsOf([], { from: 0, to: 100 }, 2).map(totalOf)).toEqual([0, 0])
  })

  it('know what the circuit was, by its transitions', () => {
    const event = (at: number, kind: string, from: string) => ({ at, kind, from }) as ProviderEvent
    const events = [
      event(10, 'opened', 'closed'),
      event(30, 'half_opened', 'open'),
      event(40, 'closed', 'half_open'),
    ]
    expect(circuitSpans(events, { from: 0, to: 100 }, 'closed')).toEqual([
      { state: 'closed', from: 0, to: 10 },
      { state: 'open', from: 10, to: 30 },
      { state: 'half_open', from: 30, to: 40 },
      { state: 'closed', from: 40, to: 100 },
    ])
    expect(circuitSpans(events, { from: 20, to: 25 }, 'closed')).toEqual([
      { state: 'open', from: 20, to: 25 },
    ])
    expect(circuitSpans([], { from: 0, to: 9 }, 'open')).toEqual([{ state: 'open', from: 0, to: 9 }])
  })
})

it('a long text is cut between characters', () => {
  expect(cutText('abc', 3)).toBe('abc')
  expect(cutText('abcd', 3)).toBe('abc…')
  expect(cutText('ab😀d', 3)).toBe('ab…')
})
