import { describe, expect, it } from 'vitest'
import { control, kinds, known, quick, type Ground, type Subject } from './subject.js'

/** Marks: they override observation, end by hand or by themselves, and never touch the circuit. */
export function marksContract(open: () => Promise<Ground>): void {
  describe('a mark', () => {
    it('says who set it, why and until when, and leaves the circuit as it is', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.record('unhealthy', 2)
      const before = await subject.snapshot()
      const reply = await subject.mark('unhealthy', 600)
      expect(reply.events).toMatchObject([
        {
          kind: 'marked',
          from: '',
          to: 'unhealthy',
          reason: 'a test',
          actor: 'ops',
          generation: before.generation,
        },
      ])
      const version = before.version + 1
      expect(reply.snapshot).toEqual({
        ...before,
        version,
        mark: 'unhealthy',
        markReason: 'a test',
        markActor: 'ops',
        markForMs: 600,
        probeAwaitedSince: before.at + 600,
        markVersion: version,
      })
    })

    it('is replaced by the next one, whichever that is', async () => {
      const subject = await quick(await open())
      await subject.mark('unhealthy', 600)
      const reply = await subject.mark('degraded')
      expect(reply.events).toMatchObject([{ kind: 'marked', from: 'unhealthy', to: 'degraded' }])
      expect(reply.snapshot).toMatchObject({ mark: 'degraded', markForMs: null })
      expect((await subject.admit()).admitted).toBe(true)
    })

    it('is cleared by resume, with one event, and resuming again does nothing', async () => {
      const subject = await quick(await open())
      await subject.mark('terminated')
      const reply = await subject.resume()
      expect(reply.events).toMatchObject([{ kind: 'resumed', from: 'terminated', to: '', actor: 'ops' }])
      expect(reply.snapshot).toMatchObject({ mark: null, markReason: '', markActor: '', markForMs: null })
      expect(reply.snapshot?.markVersion).toBe(reply.snapshot?.version)
      const { version } = await subject.snapshot()
      expect((await subject.resume()).events).toEqual([])
      expect((await subject.snapshot()).version).toBe(version)
    })

    it('is computed by every reader: gone exactly at its end, though nobody wrote', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('unhealthy', 600)
      await ground.advance(599)
      expect(await subject.snapshot()).toMatchObject({ mark: 'unhealthy', markForMs: 1 })
      const { version } = await subject.snapshot()
      await ground.advance(1)
      expect(await subject.snapshot()).toMatchObject({
        mark: null,
        markReason: '',
        markActor: '',
        markForMs: null,
        markEnded: true,
        version,
      })
    })

    it.each<[string, (subject: Subject) => Promise<{ events: readonly { kind: string }[] }>]>([
      ['admit', (subject) => subject.admit()],
      ['record', (subject) => subject.record('healthy')],
      ['reset', (subject) => subject.reset()],
      ['trip', (subject) => subject.trip(5)],
      ['mark', (subject) => subject.mark('degraded')],
      ['resume', (subject) => subject.resume()],
    ])('that ended is cleared by the next %s, with exactly one event', async (_, write) => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('unhealthy', 600)
      await ground.advance(600)
      const reply = await write(subject)
      expect(reply.events[0]).toMatchObject({
        kind: 'resumed',
        from: 'unhealthy',
        to: '',
        reason: 'the mark ended',
        actor: '',
      })
      await write(subject)
      await subject.record('healthy')
      const told = (await ground.store.events('openai', 100)).filter(
        (event) => event.kind === 'resumed' && event.reason === 'the mark ended',
      )
      expect(told).toHaveLength(1)
    })

    it('is cleared by a resume that is for ended marks alone once it has ended, and not before', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('unhealthy', 600)
      const resumeEnded = async () =>
        known(await subject.store.resume('openai', { ...control(), actor: '', reason: '', endedOnly: true }))
      await ground.advance(599)
      const early = await resumeEnded()
      expect(early.events).toEqual([])
      expect(early.snapshot).toMatchObject({ mark: 'unhealthy', markForMs: 1, markEnded: false })
      await ground.advance(1)
      const ended = await resumeEnded()
      expect(ended.events).toMatchObject([{ kind: 'resumed', reason: 'the mark ended', actor: '' }])
      expect(ended.snapshot).toMatchObject({ mark: null, markEnded: false })
      await subject.mark('unhealthy')
      expect((await resumeEnded()).events).toEqual([])
      expect((await subject.snapshot()).mark).toBe('unhealthy')
    })

    it('that ended is cleared once by writers who race', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('degraded', 600)
      await ground.advance(600)
      const replies = await Promise.all([
        subject.admit('a'),
        subject.admit('b'),
        subject.resume(),
        subject.record('healthy'),
      ])
      expect(replies.flatMap(kinds)).toEqual(['resumed'])
    })
  })
}
