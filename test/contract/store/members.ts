import { describe, expect, it } from 'vitest'
import { quick, TestProvider, type TestStore } from './test-provider.js'

const caller = { worker: 'w', knownVersion: 0 }

/** When a member of a family leaves the store. */
export function membersContract(open: () => Promise<TestStore>): void {
  describe('members of families', () => {
    const touch = ({ store, id }: TestProvider, idleMs: number, begin = true) =>
      store.touch(id, { ...caller, idleMs, begin })
    const expire = ({ store, id }: TestProvider) => store.expire(id, caller)

    it('leave exactly when they were not touched for so long, and say why', async () => {
      const testStore = await open()
      const member = await quick(testStore)
      await touch(member, 5_000)
      await testStore.advance(3_000)
      await touch(member, 5_000, false)
      await testStore.advance(4_999)
      expect(await expire(member)).toMatchObject({ status: 'ok', expired: false, events: [] })
      await testStore.advance(1)
      expect(await expire(member)).toMatchObject({
        status: 'ok',
        expired: true,
        events: [
          { kind: 'removed', from: 'closed', to: '', reason: 'not used for 5000 ms', actor: '', worker: 'w' },
        ],
      })
      expect(await expire(member)).toMatchObject({ status: 'unknown_provider' })
      expect(await touch(member, 5_000)).toMatchObject({ status: 'unknown_provider' })
      expect(await testStore.store.providers()).toEqual([])
    })

    it('are those alone that were begun with: a provider is never idle', async () => {
      const testStore = await open()
      const provider = await quick(testStore)
      await touch(provider, 5_000, false)
      await testStore.advance(1_000_000)
      expect(await testStore.store.idleProviders(10)).toEqual([])
      expect(await expire(provider)).toMatchObject({ expired: false })
    })

    it('stay while a person marked them, for as long as the mark holds', async () => {
      const testStore = await open()
      const member = await quick(testStore)
      await touch(member, 5_000)
      await member.mark('unhealthy', 8_000)
      await testStore.advance(5_000)
      expect(await expire(member)).toMatchObject({ expired: false })
      await testStore.advance(4_999)
      expect(await expire(member)).toMatchObject({ expired: false })
      await testStore.advance(1)
      expect(await expire(member)).toMatchObject({ expired: true })
    })

    it('stay for as long as a mark without end stays', async () => {
      const testStore = await open()
      const member = await quick(testStore)
      await touch(member, 5_000)
      await member.mark('degraded')
      await testStore.advance(50_000)
      expect(await expire(member)).toMatchObject({ expired: false })
      await member.resume()
      await testStore.advance(5_000)
      expect(await expire(member)).toMatchObject({ expired: true })
    })

    it('stay while a person tripped them without end, but not for a while', async () => {
      const testStore = await open()
      const [forGood, forAWhile] = [await quick(testStore), new TestProvider(testStore, 'for-a-while')]
      await forAWhile.register()
      for (const member of [forGood, forAWhile]) await touch(member, 5_000)
      await forGood.trip(null)
      await forAWhile.trip(100_000)
      await testStore.advance(5_000)
      expect(await expire(forGood)).toMatchObject({ expired: false })
      expect(await expire(forAWhile)).toMatchObject({ expired: true })
    })
  })
}
