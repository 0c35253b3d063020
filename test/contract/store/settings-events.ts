import { describe, expect, it } from 'vitest'
import { maskSecretsInText } from '../../../src/config/mask.js'
import { resolveSettings } from '../../../src/config/settings.js'
import type { ProbeInput } from '../../../src/model/probe.js'
import { FAR_MS, TestProvider, type TestStore } from './test-provider.js'

const SECRET = 'plain-5ecret'

/** What the event of a change of settings says, and what it does not. */
export function settingsEventsContract(open: () => Promise<TestStore>): void {
  const http = (headers: Record<string, string>, url = 'https://api.example.com/health') =>
    ({ kind: 'http', url, headers }) satisfies ProbeInput

  describe('secrets in settings that change', () => {
    const cases: readonly (readonly [string, ProbeInput])[] = [
      ['a header', http({ authorization: `Bearer ${SECRET}` })],
      ['several headers', http({ 'x-api-key': SECRET, cookie: `a=${SECRET}; b=1` })],
      ['a header with quotes, braces and backslashes', http({ 'x-key': `"}{\\" ${SECRET} \\\\"` })],
      [
        'a reference with more behind it',
        http({ authorization: 'Bearer ${env:API_KEY}', x: `\${env:A}${SECRET}` }),
      ],
      [
        'a parameter of the URL',
        http({}, `https://h/p?deep=1&api_key=${SECRET}&token=\${env:T}${SECRET}#end`),
      ],
      ['a parameter with escapes', http({}, `https://h/p?sig=${SECRET}"x\\&a="b&pwd=${SECRET}`)],
      ['a body', { ...http({}), method: 'POST', body: `{"key":"${SECRET}","a":"\${env:A}"}` }],
      ['a proxy', { ...http({}), proxy: `http://me:${SECRET}@proxy:3128` }],
      ['a proxy with a reference', { ...http({}), proxy: `http://${SECRET}:\${env:A}@proxy:3128/` }],
      ['a proxy without credentials', { ...http({ a: SECRET }), proxy: 'http://proxy:3128' }],
      [
        'what looks like headers and is text',
        { ...http({ a: SECRET }), bodyContains: '"headers":{"x":"kept"}' },
      ],
    ]

    it.each(cases)('%s: masked, in the same words by every store', async (_, probe) => {
      const testProvider = new TestProvider(await open())
      await testProvider.register()
      const { events } = await testProvider.register({ probe })
      const to = `probe=${maskSecretsInText(JSON.stringify(resolveSettings({ probe }).probe))}`
      expect(events).toMatchObject([{ kind: 'settings_changed', from: 'probe=-', to }])
      const back = await testProvider.register(
        {},
        { byHand: { operator: 'alice', reason: '', notAfterMs: FAR_MS } },
      )
      expect(back.events).toMatchObject([{ from: `pinned=- ${to}`, to: 'pinned=true probe=-' }])
      expect(JSON.stringify(await testProvider.store.events('openai', 10))).not.toContain(SECRET)
      expect(JSON.stringify(testProvider.testStore.changes)).not.toContain(SECRET)
    })

    it('are announced as changed where nothing else differs', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({ probe: http({ authorization: 'old-5ecret' }) })
      const { events } = await testProvider.register({ probe: http({ authorization: 'new-5ecret' }) })
      const [{ from, to } = { from: '', to: '' }] = events
      expect(from).toContain('"headers":{"authorization":"***"}')
      expect(to).toBe(`${from} (a secret differs)`)
    })
  })

  describe('two settings that change in turn', () => {
    const older = (testProvider: TestProvider) => testProvider.register({ slowMs: 100 }, { worker: 'older' })
    const newer = (testProvider: TestProvider) => testProvider.register({ slowMs: 200 }, { worker: 'newer' })

    it('are followed at once and announced once a minute, with both workers and both values', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      await older(testProvider)
      const first = await newer(testProvider)
      expect(first.events).toMatchObject([{ kind: 'settings_changed', reason: '', worker: 'newer' }])
      let revision = 2
      for (const register of [older, newer, older, newer, older]) {
        await testStore.advance(11_999)
        const before = await testProvider.snapshot()
        const reply = await register(testProvider)
        revision += 1
        expect(reply).toMatchObject({ revision, events: [], setAt: testStore.nowMs() })
        expect(reply.settings.slowMs).toBe(register === older ? 100 : 200)
        expect(reply.snapshot?.version).toBeGreaterThan(before.version)
        expect(reply.snapshot).toMatchObject({ settingsRevision: revision })
      }
      await testStore.advance(5) // 60 s since the event
      const second = await newer(testProvider)
      expect(second.events).toMatchObject([
        {
          kind: 'settings_changed',
          from: 'slowMs=100',
          to: 'slowMs=200',
          worker: 'newer',
          reason: 'alternates with the settings of older: 6 changes since the last event',
        },
      ])
      expect((await older(testProvider)).events).toEqual([])
    })

    it('a third value is announced at once, and so is a change back that comes a minute later', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      await older(testProvider)
      await newer(testProvider)
      expect((await older(testProvider)).events).toEqual([])
      const third = await testProvider.register({ slowMs: 300 }, { worker: 'newest' })
      expect(third.events).toMatchObject([{ from: 'slowMs=100', to: 'slowMs=300', reason: '' }])
      await testStore.advance(60_000)
      expect((await older(testProvider)).events).toMatchObject([{ to: 'slowMs=100', reason: '' }])
    })

    it('what an operator sets is announced each time', async () => {
      const testProvider = new TestProvider(await open())
      const byHand = { operator: 'alice', reason: 'a busy week', notAfterMs: FAR_MS }
      await older(testProvider)
      for (const slowMs of [200, 100, 200])
        expect((await testProvider.register({ slowMs }, { byHand })).events).toHaveLength(1)
      await testProvider.register({}, { mode: 'release', byHand })
      expect((await older(testProvider)).events).toMatchObject([{ from: 'slowMs=200', to: 'slowMs=100' }])
    })
  })

  describe('a registration that fails', () => {
    it('leaves no id behind when it came too late', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const byHand = { operator: 'alice', reason: '', notAfterMs: testStore.nowMs() - 1 }
      await expect(testProvider.register({}, { byHand })).rejects.toMatchObject({ code: 'command_late' })
      expect(await testStore.store.providers()).toEqual([])
      expect(await testStore.leftovers('openai')).toEqual([])
    })

    it('leaves the id of a provider that was there already', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      await testProvider.register()
      const byHand = { operator: 'alice', reason: '', notAfterMs: testStore.nowMs() - 1 }
      await expect(testProvider.register({}, { byHand })).rejects.toMatchObject({ code: 'command_late' })
      expect((await testStore.store.providers()).map(({ id }) => id)).toEqual(['openai'])
    })
  })
}
