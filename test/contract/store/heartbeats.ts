import { describe, expect, it } from 'vitest'
import type { Subject } from './subject.js'
import { FAR_MS, known, quick, QUICK, type Ground } from './subject.js'

/** What a provider says of itself. */
export function heartbeatsContract(open: () => Promise<Ground>): void {
  const beat = async (subject: Subject, progress: number | null = null, knownVersion = 0) =>
    known(
      await subject.store.beat(subject.id, { worker: 'agent-1', knownVersion, progress, notAfterMs: FAR_MS }),
    )

  describe('a heartbeat', () => {
    it('leaves its time, and no progress where it says none', async () => {
      const ground = await open()
      const subject = await quick(ground)
      expect(await subject.snapshot()).toMatchObject({ heartbeatAt: null, heartbeatProgressAt: null })
      await ground.advance(30)
      await beat(subject)
      const first = ground.nowMs()
      expect(await subject.snapshot()).toMatchObject({
        heartbeatAt: first,
        heartbeatProgress: null,
        heartbeatProgressAt: first,
      })
      await ground.advance(40)
      await beat(subject)
      expect(await subject.snapshot()).toMatchObject({
        heartbeatAt: first + 40,
        heartbeatProgress: null,
        heartbeatProgressAt: first,
      })
    })

    it('counts any other number as progress, a smaller one too, and the same one not', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const began = ground.nowMs()
      const seen: [number | null, number | null][] = []
      for (const progress of [5, 5, 6, null, 6, 0, 0]) {
        await ground.advance(10)
        await beat(subject, progress)
        const { heartbeatProgress, heartbeatProgressAt } = await subject.snapshot()
        seen.push([heartbeatProgress, (heartbeatProgressAt ?? 0) - began])
      }
      expect(seen).toEqual([
        [5, 10],
        [5, 10],
        [6, 30],
        [6, 30],
        [6, 30],
        [0, 60],
        [0, 60],
      ])
    })

    it('keeps all digits of a large number', async () => {
      const subject = await quick(await open())
      await beat(subject, 9_999_999_999_999)
      expect((await subject.snapshot()).heartbeatProgress).toBe(9_999_999_999_999)
    })

    it('tells nobody, and changes nothing else', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('unhealthy')
      const before = await subject.snapshot()
      const reply = await beat(subject, 1, before.version)
      expect(reply).toMatchObject({ snapshot: null, events: [] })
      const { heartbeatAt, heartbeatProgress, heartbeatProgressAt, ...after } = await subject.snapshot()
      expect(heartbeatAt).toBe(heartbeatProgressAt)
      expect(heartbeatProgress).toBe(1)
      expect(before).toMatchObject(after)
    })

    it('ends a mark whose time has come, as every write does', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('degraded', 50)
      await ground.advance(50)
      expect((await beat(subject)).events.map(({ kind }) => kind)).toEqual(['resumed'])
    })

    it('outlives a reset and other settings, but not a removal', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await beat(subject, 3)
      const at = ground.nowMs()
      await subject.reset()
      await subject.register({ breaker: { ...QUICK, failureThreshold: 2 } })
      expect(await subject.snapshot()).toMatchObject({ heartbeatAt: at, heartbeatProgress: 3 })
      const control = { worker: 'w', knownVersion: 0, actor: '', reason: '', notAfterMs: 9e12 }
      await subject.store.remove(subject.id, control)
      await subject.register()
      expect(await subject.snapshot()).toMatchObject({ heartbeatAt: null, heartbeatProgress: null })
    })

    it('that Redis runs too late says nothing of now', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const request = { worker: 'agent-1', knownVersion: 0, progress: 1, notAfterMs: ground.nowMs() - 1 }
      expect(await subject.store.beat(subject.id, request)).toMatchObject({ status: 'late' })
      expect((await subject.snapshot()).heartbeatAt).toBeNull()
    })

    it('of a provider that nobody registered writes nothing', async () => {
      const ground = await open()
      const reply = await ground.store.beat('nobody', {
        worker: 'w',
        knownVersion: 0,
        progress: null,
        notAfterMs: FAR_MS,
      })
      expect(reply).toEqual({ status: 'unknown_provider', nowMs: ground.nowMs() })
      expect(await ground.leftovers('nobody')).toEqual([])
    })
  })
}
