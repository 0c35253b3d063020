import { describe, expect, it } from 'vitest'
import { RESYNC_GRACE_MS, SnapshotCache } from '../../src/client/sync/snapshot-cache.js'
import { EMPTY_SNAPSHOT, type StoredSnapshot } from '../../src/model/snapshot.js'

const CLOSED: StoredSnapshot = {
  ...EMPTY_SNAPSHOT,
  id: 'openai',
  stateSince: 900_000,
  generation: 10,
  version: 10,
  settingsRevision: 1,
  windowCoveredMs: 60_000,
  probeAwaitedSince: 900_000,
  at: 1_000_000,
}
const OPEN: StoredSnapshot = {
  ...CLOSED,
  ...{ state: 'open', generation: 11, version: 11, openedAt: 1_000_000, retryAfterMs: 1_000 },
}

function testStore() {
  let nowMs = 5_000
  const cache = new SnapshotCache({ now: () => nowMs })
  return {
    cache,
    advance: (ms: number) => {
      nowMs += ms
    },
  }
}

/** Subscribed, and `snapshot` known. */
function following(snapshot = CLOSED) {
  const made = testStore()
  made.cache.offer(snapshot)
  made.cache.follow()
  return made
}

describe('what is left of a deadline', () => {
  it('is told in whole ms, and does not end before its time', () => {
    const { cache, advance } = following({ ...OPEN, throttledForMs: 300, mark: 'unhealthy', markForMs: 200 })
    advance(0.25)
    expect(cache.read()).toMatchObject({ retryAfterMs: 1_000, throttledForMs: 300, markForMs: 200 })
    advance(99.5)
    expect(cache.read()).toMatchObject({ retryAfterMs: 901, throttledForMs: 201, markForMs: 101 })
    advance(900)
    expect(cache.read()).toMatchObject({ state: 'open', retryAfterMs: 1 })
    advance(0.25)
    expect(cache.read()).toMatchObject({ state: 'half_open', retryAfterMs: 0 })
  })
})

describe('the modes of the snapshot cache', () => {
  it('decides nothing before the subscription, whatever it holds', () => {
    const { cache } = testStore()
    expect(cache).toMatchObject({ mode: 'starting', decides: false, free: false, version: 0, generation: 0 })
    cache.offer(CLOSED)
    expect(cache).toMatchObject({ mode: 'starting', decides: false, free: false, version: 10 })
  })

  it('does not follow while it holds nothing', () => {
    const { cache } = testStore()
    cache.follow()
    expect(cache.mode).toBe('starting')
  })

  it('decides while it follows', () => {
    const { cache, advance } = following()
    expect(cache).toMatchObject({ mode: 'following', decides: true, free: true, generation: 10 })
    advance(86_400_000)
    expect(cache).toMatchObject({ mode: 'following', decides: true, free: true })
  })

  it('decides by the last snapshot for one second after a loss, and for no longer', () => {
    const { cache, advance } = following()
    cache.lost()
    expect(RESYNC_GRACE_MS).toBe(1_000)
    expect(cache).toMatchObject({ mode: 'resyncing', decides: true, free: false })
    advance(999)
    expect(cache.decides).toBe(true)
    advance(1)
    expect(cache.decides).toBe(false)
    expect(cache.read()).toMatchObject({ state: 'closed' })
  })

  it('counts that second from the first loss: another one does not put it off', () => {
    const { cache, advance } = following()
    cache.lost()
    advance(999)
    cache.lost()
    advance(1)
    expect(cache.decides).toBe(false)
  })

  it('has a new second after it followed again', () => {
    const { cache, advance } = following()
    cache.resync(CLOSED, cache.lost())
    advance(5_000)
    cache.lost()
    expect(cache).toMatchObject({ mode: 'resyncing', decides: true })
  })

  it('a loss before it followed leaves it starting', () => {
    const { cache } = testStore()
    cache.offer(CLOSED)
    cache.lost()
    expect(cache).toMatchObject({ mode: 'starting', decides: false })
  })

  it('a snapshot that comes by message or reply does not end a gap', () => {
    const { cache } = following()
    cache.lost()
    cache.offer({ ...OPEN, at: CLOSED.at + 1 })
    expect(cache).toMatchObject({ mode: 'resyncing', version: 11 })
  })

  it('forgets everything when it is stopped', () => {
    const { cache } = following()
    cache.stop()
    expect(cache).toMatchObject({ mode: 'stopped', decides: false, free: false, version: 0, generation: 0 })
    expect(cache.read()).toBeUndefined()
  })

  it('comes back to life with the next snapshot, and decides once it follows', () => {
    const { cache } = following()
    cache.stop()
    cache.offer(CLOSED)
    expect(cache).toMatchObject({ mode: 'starting', decides: false })
    cache.follow()
    expect(cache).toMatchObject({ mode: 'following', decides: true, free: true })
  })
})

describe('versions', () => {
  it('an older one is dropped', () => {
    const { cache } = following(OPEN)
    cache.offer({ ...CLOSED, at: OPEN.at + 500 })
    expect(cache.read()).toMatchObject({ state: 'open', version: 11 })
    expect(cache.free).toBe(false)
  })

  it('the order in which they come does not matter', () => {
    const later = { ...CLOSED, generation: 12, version: 12, at: OPEN.at + 100 }
    for (const order of [
      [OPEN, later],
      [later, OPEN],
      [later, OPEN, later, OPEN],
    ]) {
      const { cache } = following()
      for (const snapshot of order) cache.offer(snapshot)
      expect(cache.read()).toMatchObject({ state: 'closed', version: 12 })
      expect(cache).toMatchObject({ free: true, generation: 12 })
    }
  })

  it('the same message again changes nothing: its deadlines are not put off', () => {
    const { cache, advance } = following(OPEN)
    for (let i = 0; i < 9; i += 1) {
      advance(100)
      cache.offer(OPEN)
      cache.offer({ ...OPEN })
    }
    expect(cache.read()).toMatchObject({ state: 'open', retryAfterMs: 100, at: OPEN.at + 900 })
    advance(100)
    cache.offer(OPEN)
    expect(cache.read()).toMatchObject({ state: 'half_open', retryAfterMs: 0 })
  })

  it('an earlier state of the same version is dropped, a later one of it is taken', () => {
    const { cache, advance } = following({ ...OPEN, at: OPEN.at + 200, retryAfterMs: 800 })
    advance(100)
    cache.offer(OPEN)
    expect(cache.read()).toMatchObject({ retryAfterMs: 700 })
    cache.offer({ ...OPEN, at: OPEN.at + 400, retryAfterMs: 600, applied: 7 })
    expect(cache.read()).toMatchObject({ retryAfterMs: 600, applied: 7 })
  })
})

describe('a full read', () => {
  it('that bears the token of the last gap ends it', () => {
    const { cache } = following()
    cache.resync({ ...OPEN, at: CLOSED.at + 1 }, cache.lost())
    expect(cache).toMatchObject({ mode: 'following', version: 11, free: false })
  })

  it('that began before a later gap does not end that one', () => {
    const { cache } = following()
    const first = cache.lost()
    const second = cache.lost()
    expect(second).not.toBe(first)
    cache.resync({ ...OPEN, at: CLOSED.at + 1 }, first)
    expect(cache).toMatchObject({ mode: 'resyncing', version: 11 })
    cache.resync({ ...OPEN, at: CLOSED.at + 2 }, second)
    expect(cache.mode).toBe('following')
  })

  it('that began before a later gap replaces no higher version', () => {
    const { cache } = following(OPEN)
    const first = cache.lost()
    cache.lost()
    cache.resync({ ...CLOSED, at: OPEN.at + 500 }, first)
    expect(cache.version).toBe(11)
  })

  it('replaces a higher version: a store that failed over may count from less', () => {
    const { cache } = following(OPEN)
    cache.resync({ ...CLOSED, at: OPEN.at + 500 }, cache.lost())
    expect(cache).toMatchObject({ mode: 'following', version: 10, free: true })
  })

  it('does not replace what came by message while it was under way', () => {
    const { cache } = following()
    const gap = cache.lost()
    cache.offer({ ...OPEN, at: CLOSED.at + 100 })
    cache.resync({ ...CLOSED, at: CLOSED.at + 50 }, gap)
    expect(cache).toMatchObject({ mode: 'following', version: 11 })
    expect(cache.read()).toMatchObject({ state: 'open' })
  })

  it('by the poll, without a gap, leaves it following', () => {
    const { cache, advance } = following()
    advance(30_000)
    cache.resync({ ...CLOSED, applied: 9, at: CLOSED.at + 30_000 }, cache.gap)
    expect(cache).toMatchObject({ mode: 'following', free: true })
    expect(cache.read()).toMatchObject({ applied: 9 })
  })

  it('that ends after the provider was removed does not bring it back', () => {
    const { cache } = following()
    const gap = cache.lost()
    cache.stop()
    cache.resync({ ...CLOSED, at: CLOSED.at + 1 }, gap)
    expect(cache).toMatchObject({ decides: false, free: false })
  })
})

describe('`free`', () => {
  const table: readonly [string, Partial<StoredSnapshot>, boolean][] = [
    ['closed', {}, true],
    ['closed and marked degraded', { mark: 'degraded' }, true],
    ['closed and not enforced', { enforce: false }, true],
    ['open', { state: 'open', retryAfterMs: 1_000 }, false],
    ['half-open', { state: 'half_open' }, false],
    ['paused', { throttledForMs: 1 }, false],
    ['marked unhealthy', { mark: 'unhealthy' }, false],
    ['marked terminated', { mark: 'terminated' }, false],
  ]
  it.each(table)('of a provider that is %s', (_name, change, free) => {
    expect(following({ ...CLOSED, ...change }).cache.free).toBe(free)
  })

  it('is never true while calls are decided without the store, whatever is read or announced meanwhile', () => {
    const { cache } = following()
    cache.suspend(true)
    const seen: boolean[] = []
    const note = () => seen.push(cache.free, cache.decides)
    const later = (n: number) => ({ ...CLOSED, version: CLOSED.version + n, at: CLOSED.at + n })
    note()
    cache.resync(later(1), cache.lost())
    note()
    cache.offer(later(2))
    note()
    cache.follow()
    note()
    cache.stop()
    cache.offer(later(3))
    cache.follow()
    note()
    expect(seen).toEqual(seen.map(() => false))
    cache.suspend(false)
    expect(cache).toMatchObject({ free: true, decides: true })
  })

  it('ends at once with a pause that this process was asked for, and an own pause is not shortened', () => {
    const { cache, advance } = following()
    cache.throttle(500)
    expect(cache.free).toBe(false)
    advance(100)
    cache.throttle(100)
    expect(cache.read()).toMatchObject({ throttledForMs: 400 })
    advance(400)
    expect(cache.read()).toMatchObject({ throttledForMs: 0, state: 'closed' })
  })

  it('a pause does not put off the other deadlines', () => {
    const { cache, advance } = following(OPEN)
    advance(600)
    cache.throttle(2_000)
    advance(300)
    expect(cache.read()).toMatchObject({ state: 'open', retryAfterMs: 100, throttledForMs: 1_700 })
  })

  it('a mark ends on time, by the clock of this process', () => {
    const { cache, advance } = following({ ...CLOSED, mark: 'unhealthy', markReason: 'why', markForMs: 100 })
    advance(99)
    expect(cache.read()).toMatchObject({ mark: 'unhealthy', markForMs: 1 })
    advance(1)
    expect(cache.read()).toMatchObject({ mark: null, markReason: '', markForMs: null })
  })
})
