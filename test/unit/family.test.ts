import { describe, expect, it, onTestFinished } from 'vitest'
import { familyId } from '../../src/client/registry/family-id.js'
import { createTestBusbar, createTestFleet, type TestBusbarOptions } from '../../src/testing.js'

const DAY = 86_400_000

function fleetOf(options: TestBusbarOptions = {}) {
  const busbar = createTestBusbar(options)
  onTestFinished(() => busbar.close())
  return busbar
}

describe('the id of a member', () => {
  it.each([
    ['acme', 'tenant-api/acme'],
    ['api.example.com:8443', 'tenant-api/api.example.com:8443'],
    ['https://a/b', 'tenant-api/https://a/b'],
    ['a b', 'tenant-api/a@20b'],
    ['a@b', 'tenant-api/a@40b'],
    ['é', 'tenant-api/@c3@a9'],
    ['😀', 'tenant-api/@f0@9f@98@80'],
    ['{x}*\r\n\0', 'tenant-api/@7bx@7d@2a@0d@0a@00'],
    ['\ud800', 'tenant-api/@ud800'],
  ])('of %j is %s', (key, id) => {
    expect(familyId('tenant-api', key)).toBe(id)
  })

  it('is never that of another key, also where the key is long', () => {
    const long = 'é'.repeat(500)
    const keys = [
      'a',
      'a@',
      'a@40',
      'A',
      'a/',
      'a@@',
      '\ud800',
      '\ud801',
      '\ufffd',
      'ud800',
      long,
      `${long}x`,
    ]
    keys.push(
      'x'.repeat(117),
      'x'.repeat(118),
      'x'.repeat(119),
      'x'.repeat(10_000),
      `${'x'.repeat(10_000)}\ud800`,
    )
    const ids = keys.map((key) => familyId('tenant-api', key))
    expect(new Set(ids).size).toBe(keys.length)
    for (const id of ids) expect(id).toMatch(/^tenant-api\/[A-Za-z0-9._:/@-]{1,117}$/)
  })

  it.each([[''], [undefined], [7], [null], [{}]])('is refused for %j', (key) => {
    expect(() => familyId('tenant-api', key)).toThrow(/key: expected text of at least one character/)
  })
})

describe('busbar.family()', () => {
  it('gives one provider a key, and the same handle for the same key', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { breaker: { failureThreshold: 7 } })
    const [acme, again, other] = await Promise.all(['acme', 'acme', 'b c'].map((key) => family.get(key)))
    expect(acme).toBe(again)
    expect(acme).toBe(await busbar.family('tenant-api').get('acme'))
    expect(await busbar.providers()).toEqual(['tenant-api/acme', 'tenant-api/b@20c'])
    expect(other?.settings.breaker.failureThreshold).toBe(7)
    expect(busbar.family('tenant-api')).toBe(family)
  })

  it('keeps a member that is used where each call gives the settings', async () => {
    const fleet = createTestFleet()
    const [busbar, elsewhere] = [fleetOf({ fleet }), fleetOf({ fleet })]
    elsewhere.family('other', { idleExpireMs: 8_000 })
    for (let i = 0; i < 40; i += 1) {
      const acme = await busbar.family('tenant-api', { idleExpireMs: 8_000, slowMs: 50 }).get('acme')
      await acme.execute(() => i)
      await fleet.clock.advanceAsync(900)
    }
    await fleet.clock.advanceAsync(1)
    expect(await busbar.providers()).toEqual(['tenant-api/acme'])
    expect((await busbar.get('tenant-api/acme')?.events())?.map(({ kind }) => kind)).toEqual(['registered'])
  })

  it('refuses settings that make no sense at once, by their path', () => {
    const busbar = fleetOf()
    const wrong: unknown[] = [
      { breaker: { failureTreshold: 3 } },
      { breaker: { failureThreshold: 0 } },
      5,
      [],
    ]
    const paths = ['breaker.failureTreshold', 'breaker.failureThreshold', 'settings', 'settings']
    for (const [i, settings] of wrong.entries())
      // What a user of plain JavaScript may give.
      expect(() => busbar.family('t', settings as object)).toThrow(
        expect.objectContaining({ path: paths[i] }),
      )
    expect(() => busbar.family('t', {}, [] as object)).toThrow(expect.objectContaining({ path: 'options' }))
    expect(busbar.family('t', { slowMs: 5 }).name).toBe('t')
  })

  it('keeps at most maxHandles, those that were asked for last', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { maxHandles: 3 })
    for (const key of ['a', 'b', 'c', 'a', 'd']) await family.get(key)
    expect(family.size).toBe(3)
    const kept = ['a', 'b', 'c', 'd'].filter((key) => busbar.get(`tenant-api/${key}`) !== undefined)
    expect(kept).toEqual(['a', 'c', 'd'])
    expect(await busbar.providers()).toHaveLength(4)
  })

  it('knows without a wait a member that it keeps, which is a use', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { maxHandles: 2 })
    expect(family.known('a')).toBeUndefined()
    const a = await family.get('a')
    await family.get('b')
    expect(family.known('a')).toBe(a)
    await family.get('c')
    expect([family.known('a'), family.known('b')]).toEqual([a, undefined])
    await busbar.remove('tenant-api/a')
    expect(family.known('a')).toBeUndefined()
    // Registered again it is the one that was used last, wherever it was before.
    await family.get('a')
    await family.get('d')
    expect(['a', 'c', 'd'].filter((key) => family.known(key) !== undefined)).toEqual(['a', 'd'])
    expect(() => family.known('')).toThrow(/key: expected text/)
  })

  it('lets calls under way end when their handle is let go, and counts them', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { maxHandles: 1, breaker: { failureThreshold: 1 } })
    const first = await family.get('a')
    let fail: ((error: Error) => void) | undefined
    const called = first.execute(() => new Promise((_, reject) => (fail = reject)))
    await family.get('b')
    expect(busbar.get('tenant-api/a')).toBeUndefined()
    fail?.(new Error('down'))
    await expect(called).rejects.toThrow('down')
    await busbar.flush()
    expect(await (await family.get('a')).state()).toBe('open')
  })

  it('writes what a handle that it let go still had to write', async () => {
    const fleet = createTestFleet()
    const [busbar, elsewhere] = [fleetOf({ fleet }), fleetOf({ fleet })]
    const family = busbar.family('tenant-api', { maxHandles: 1 })
    await (await family.get('a')).execute(() => 1)
    await family.get('b')
    await busbar.flush()
    expect(await (await elsewhere.lookup('tenant-api/a'))?.historySize()).toBe(1)
  })

  it('asks Redis by a handle that it let go: nothing keeps that fresh', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { maxHandles: 1 })
    const a = await family.get('a')
    expect((await a.admit()).source).toBe('cache')
    await family.get('b')
    await busbar.clock.advanceAsync(2_000)
    expect((await a.admit()).source).toBe('redis')
    await family.get('a')
    expect((await a.admit()).source).toBe('cache')
  })

  it('hears of others through a handle that it let go, and gives it back when it is asked for', async () => {
    const fleet = createTestFleet()
    const busbar = fleetOf({ fleet })
    const family = busbar.family('tenant-api', { maxHandles: 1, breaker: { failureThreshold: 1 } })
    const a = await family.get('a')
    await family.get('b')
    const elsewhere = fleetOf({ fleet })
    await (await elsewhere.family('tenant-api').get('a')).trip()
    await fleet.clock.advanceAsync(2_000)
    await expect(a.execute(() => 1)).rejects.toMatchObject({ code: 'circuit_open' })
    expect(await family.get('a')).toBe(a)
    await (await elsewhere.family('tenant-api').get('a')).reset()
    await a.execute(() => 1)
    expect(a.peek()?.source).toBe('cache')
  })

  it('decides by a handle that it let go also while Redis is away, and after', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { maxHandles: 1 })
    const a = await family.get('a')
    busbar.redis.down()
    expect(await a.execute(() => 1)).toBe(1)
    await family.get('b')
    expect(await a.execute(() => 2)).toBe(2)
    await busbar.redis.up()
    await busbar.clock.advanceAsync(2_000)
    expect(await a.execute(() => 3)).toBe(3)
    expect((await a.admit()).source).toBe('redis')
  })

  it('removes members that no process used for idleExpireMs, and no others', async () => {
    const fleet = createTestFleet()
    const [one, two] = [fleetOf({ fleet }), fleetOf({ fleet })]
    const [mine, theirs] = [one.family('tenant-api'), two.family('tenant-api')]
    await mine.get('idle')
    const called = await mine.get('called')
    await mine.get('shared')
    const removed: string[] = []
    one.on('removed', ({ providerId, reason }) => removed.push(`${providerId}: ${reason}`))
    for (let day = 0; day < 9; day += 1) {
      await called.execute(() => 1)
      await theirs.get('shared')
      await fleet.clock.advanceAsync(DAY)
    }
    expect(await one.providers()).toEqual(['tenant-api/called', 'tenant-api/shared'])
    expect(removed).toEqual(['tenant-api/idle: not used for 680400000 ms'])
    expect(one.get('tenant-api/idle')).toBeUndefined()
    expect(await (await mine.get('idle')).state()).toBe('closed')
  })

  it('keeps what a person holds in a state', async () => {
    const busbar = fleetOf()
    const family = busbar.family('tenant-api', { idleExpireMs: 60_000 })
    await (await family.get('marked')).markUnhealthy()
    await (await family.get('tripped')).trip()
    await (await family.get('tripped for a while')).trip({ forMs: 1_000 })
    await family.get('plain')
    await family.get('pinned')
    await busbar.apply('tenant-api/pinned', {})
    await busbar.clock.advanceAsync(300_000)
    expect(await busbar.providers()).toEqual(['tenant-api/marked', 'tenant-api/tripped', 'tenant-api/pinned'])
    await (await busbar.lookup('tenant-api/marked'))?.resume()
    await busbar.clock.advanceAsync(300_000)
    expect(await busbar.providers()).not.toContain('tenant-api/marked')
  })

  it('with an empty name has keys for ids, and removes none that others registered', async () => {
    const busbar = fleetOf()
    await busbar.provider('https://a.example')
    const family = busbar.family('', { idleExpireMs: 60_000 })
    await family.get('https://a.example')
    await family.get('https://b.example')
    expect(await busbar.providers()).toEqual(['https://a.example', 'https://b.example'])
    await busbar.clock.advanceAsync(300_000)
    expect(await busbar.providers()).toEqual(['https://a.example'])
  })

  it('refuses names and limits that make no sense, by name', () => {
    const busbar = fleetOf()
    expect(() => busbar.family('a/b')).toThrow(/name: expected at most 64 characters/)
    expect(() => busbar.family('a', { maxHandles: 0 })).toThrow(/maxHandles: .*got 0/)
    expect(() => busbar.family('a', {}, { idleExpireMs: 5 })).toThrow(/idleExpireMs: .*got 5/)
    expect(() => busbar.family('a', {}, { handles: 5 } as object)).toThrow(/handles: unknown setting/)
  })
})
