import { describe, expect, it } from 'vitest'
import type { RecordRequest } from '../../../src/model/ports/store-requests.js'
import type { SettingsInput } from '../../../src/model/settings.js'
import type { Outcome } from '../../../src/model/words.js'
import { kinds, run, TestProvider, type TestStore } from './test-provider.js'

/** A process of a fleet with a quorum. */
const from = (name: string, domain: string, over: Partial<RecordRequest> = {}): Partial<RecordRequest> => ({
  ...{
    worker: name,
    incarnation: `life of ${name}`.replaceAll(' ', '-'),
    failureDomain: domain,
    tried: true,
  },
  ...{ ownFailures: 0, ownSinceMs: 0, ...over },
})
const DOUBTFUL = { ownFailures: 5, ownSinceMs: 1_000 }

async function fleet(open: () => Promise<TestStore>, breaker: SettingsInput['breaker'] = {}) {
  const testProvider = new TestProvider(await open())
  await testProvider.register({
    breaker: { failureThreshold: 10, cooldownMs: 10_000, quorum: 2, ...breaker },
  })
  const put = async (outcome: Outcome, by: Partial<RecordRequest>, count = 1) => {
    const { generation } = await testProvider.snapshot()
    return testProvider.send([run(outcome, { generation, count })], by)
  }
  const suspects = async () => (await testProvider.snapshot()).suspects.map(({ worker }) => worker)
  return { testProvider, put, suspects, advance: testProvider.testStore.advance }
}

const [A, B, C] = [from('a', 'node-a'), from('b', 'node-b'), from('c', 'node-c')] as const

/** When a circuit opens by rates, and whom a quorum believes. */
export function judgementContract(open: () => Promise<TestStore>): void {
  describe('a rate', () => {
    it('opens, and is told in the snapshot', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({ breaker: { failureThreshold: null, failureRate: 0.5, minimumCalls: 4 } })
      await testProvider.record('healthy', 3)
      await testProvider.testStore.advance(1_000)
      await testProvider.record('unhealthy', 1)
      expect(await testProvider.snapshot()).toMatchObject({
        windowCalls: 4,
        windowFailures: 1,
        failureRate: 0.25,
      })
      const reply = await testProvider.record('timeout', 9)
      expect(reply.events[0]?.reason).toBe('failure rate 50 % of 6 calls (limit 50 %), last: timeout')
      expect(reply.outdated).toBe(7)
      expect(await testProvider.snapshot()).toMatchObject({ windowCalls: 0, failureRate: null })
    })

    it('counts the good calls that come before a bad one in the same batch', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({ breaker: { failureThreshold: null, failureRate: 0.5, minimumCalls: 20 } })
      await testProvider.record('unhealthy', 10)
      await testProvider.testStore.advance(1_000)
      const { generation } = await testProvider.snapshot()
      const mixed = [run('healthy', { generation, count: 9 }), run('unhealthy', { generation })]
      const { events } = await testProvider.send(mixed)
      expect(events.map(({ reason }) => reason)).toEqual([
        'failure rate 55 % of 20 calls (limit 50 %), last: unhealthy',
      ])
    })

    it('begins anew where its window has another width', async () => {
      const testProvider = new TestProvider(await open())
      const breaker = { failureThreshold: null, failureRate: 0.5 }
      await testProvider.register({ breaker: { ...breaker, rateWindowMs: 1_000 } })
      await testProvider.record('degraded', 3)
      for (const rateWindowMs of [2_000, 1_000]) {
        await testProvider.register({ breaker: { ...breaker, rateWindowMs } })
        expect(await testProvider.snapshot()).toMatchObject({ windowCalls: 0 })
        await testProvider.record('degraded', 2)
        expect(await testProvider.snapshot()).toMatchObject({ windowCalls: 2 })
      }
    })

    it('leaves nothing behind where it is off, or has been switched off', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({ breaker: { failureRate: 0.5 } })
      await testProvider.record('healthy')
      expect(await testProvider.snapshot()).toMatchObject({ windowCalls: 1 })
      await testProvider.register({ breaker: {} })
      expect(await testProvider.snapshot()).toMatchObject({ windowCalls: 0, failureRate: null })
    })
  })

  describe('a quorum', () => {
    it('does not open by the failures of one of two domains, and does by those of both', async () => {
      const { put } = await fleet(open)
      await put('healthy', B)
      await put('unhealthy', A, 30)
      expect(kinds(await put('unhealthy', A, 30))).toEqual([])
      expect(kinds(await put('unhealthy', B))).toEqual(['opened'])
    })

    it('takes a failure of another domain for as long as it is in the rate window', async () => {
      const rates = { failureThreshold: null, failureRate: 0.5, minimumCalls: 2 }
      const openedAfter1s = async (rateWindowMs: number) => {
        const { put, advance } = await fleet(open, { ...rates, rateWindowMs })
        await put('unhealthy', A)
        await advance(500)
        await put('unhealthy', B)
        await advance(500)
        return kinds(await put('unhealthy', B))
      }
      expect(await openedAfter1s(2_000)).toEqual(['opened'])
      expect(await openedAfter1s(1_000)).toEqual([])
    })

    it('takes the failures of a lone domain', async () => {
      const { put } = await fleet(open)
      expect(kinds(await put('unhealthy', A, 30))).toEqual(['opened'])
    })

    it('names a process that fails while another domain succeeds, once, and no longer counts what it sees', async () => {
      const { put, suspects, advance, testProvider } = await fleet(open)
      await put('healthy', B)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(100)
      expect(kinds(await put('healthy', B))).toEqual([])
      await advance(1)
      const { events } = await put('healthy', B)
      expect(events.map(({ kind, to, reason }) => ({ kind, to, reason }))).toEqual([
        {
          kind: 'worker_suspected',
          to: 'a',
          reason:
            'a on node-a fails alone: 5 failures in a row there, 2 successes elsewhere since; node-b disagrees',
        },
      ])
      expect(await suspects()).toEqual(['a'])
      expect(await put('unhealthy', { ...A, ...DOUBTFUL }, 50)).toMatchObject({ outdated: 50 })
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 0 })
    })

    it('announces a suspect of the same domain once a minute', async () => {
      const { put, advance } = await fleet(open)
      const name = async () => {
        await put('healthy', B)
        const named = kinds(await put('unhealthy', { ...A, ...DOUBTFUL, ownSinceMs: 2_000 }))
        expect(kinds(await put('healthy', A))).toEqual(['worker_cleared'])
        return named
      }
      expect(await name()).toEqual(['worker_suspected'])
      await advance(59_999)
      expect(await name()).toEqual([])
      await advance(1)
      expect(await name()).toEqual(['worker_suspected'])
    })

    it('clears a suspect by its own success, and not by that of a sibling', async () => {
      const { put, suspects, advance } = await fleet(open)
      await put('healthy', B)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(1_000)
      await put('healthy', B)
      await put('healthy', from('sibling', 'node-a'))
      // Of a call that began before the doubt: the process still says that it fails.
      await put('healthy', { ...A, ...DOUBTFUL })
      expect(await suspects()).toEqual(['a'])
      expect(kinds(await put('healthy', A))).toEqual(['worker_cleared'])
      expect(await suspects()).toEqual([])
    })

    it('clears no suspect by a success of an older generation', async () => {
      const { put, suspects, advance, testProvider } = await fleet(open)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(1_000)
      await put('healthy', B)
      const { generation } = await testProvider.snapshot()
      await testProvider.send(
        [run('healthy', { generation: generation - 1 }), run('ignored', { generation })],
        A,
      )
      expect(await suspects()).toEqual(['a'])
    })

    it('knows sixteen processes that doubt themselves: the longest silent makes room', async () => {
      const { put, suspects, advance } = await fleet(open)
      await put('healthy', B)
      const names = Array.from({ length: 17 }, (_, i) => `p${i}`)
      // The first is heard again before the last, so the second has been silent for longest.
      for (const name of [...names.slice(0, 16), 'p0', 'p16']) {
        await put('unhealthy', { ...from(name, 'node-p'), ...DOUBTFUL })
        await advance(1)
      }
      await advance(200)
      await put('healthy', B)
      expect(await suspects()).toEqual(names.filter((name) => name !== 'p1'))
    })

    it('believes one domain after the grace, where no other succeeded', async () => {
      const { put, advance } = await fleet(open, { quorumGraceMs: 2_000 })
      await put('healthy', B)
      await advance(5_000)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(999)
      expect(kinds(await put('unhealthy', { ...A, ownFailures: 6, ownSinceMs: 1_999 }))).toEqual([])
      await advance(1)
      const { events } = await put('unhealthy', { ...A, ownFailures: 7, ownSinceMs: 2_000 })
      expect(events.map(({ reason }) => reason)).toEqual([
        'no other domain succeeded for 2000 ms, last: unhealthy',
      ])
    })

    it('believes two domains that doubt themselves', async () => {
      const { put, advance } = await fleet(open, { failureThreshold: 1_000 })
      await put('healthy', C)
      await advance(3_000)
      await put('unhealthy', { ...A, ...DOUBTFUL, ownSinceMs: 1_500 })
      const { events } = await put('unhealthy', { ...B, ...DOUBTFUL, ownSinceMs: 1_500 })
      expect(events.map(({ reason }) => reason)).toEqual([
        '2 failure domains see failures alone, last: unhealthy',
      ])
    })

    it('takes processes that never had a success for one witness', async () => {
      const { put } = await fleet(open)
      await put('healthy', B)
      await put('unhealthy', from('x', 'node-x', { tried: false }), 20)
      expect(kinds(await put('unhealthy', from('y', 'node-y', { tried: false }), 20))).toEqual([])
    })

    it('withdraws a young suspicion when the circuit opens, and keeps an old one', async () => {
      const { put, suspects, advance } = await fleet(open, { quorumGraceMs: 3_000 })
      await put('healthy', B)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(500)
      await put('healthy', B)
      await advance(3_000)
      await put('healthy', B)
      await put('unhealthy', { ...from('d', 'node-d'), ...DOUBTFUL })
      await advance(500)
      await put('healthy', B)
      expect(await suspects()).toEqual(['a', 'd'])
      await put('unhealthy', B, 9)
      expect(kinds(await put('unhealthy', C))).toEqual(['worker_cleared', 'opened'])
      expect(await suspects()).toEqual(['a'])
    })

    it('gives the domain whose trial failed last no trial in the first tenth of the cooldown', async () => {
      const { put, advance, testProvider } = await fleet(open)
      const ask = (domain: string, token: string) =>
        testProvider.admit(token, { incarnation: domain, failureDomain: domain })
      await put('unhealthy', B, 9)
      await put('unhealthy', A)
      await advance(10_000)
      const trial = await ask('node-a', 't1')
      await testProvider.send([run('unhealthy', { generation: trial.generation, token: 't1' })], A)
      await advance(10_000)
      expect(await ask('node-a', 't2')).toMatchObject({
        admitted: false,
        code: 'no_trial_free',
        retryAfterMs: 1_000,
      })
      expect(await ask('node-b', 't3')).toMatchObject({ admitted: true, trial: true })
      await testProvider.send([run('ignored', { generation: trial.generation, token: 't3' })], B)
      await advance(1_000)
      expect(await ask('node-a', 't4')).toMatchObject({ admitted: false })
    })

    it('gives a suspect a trial after the others, and believes it', async () => {
      const { put, advance, suspects, testProvider } = await fleet(open)
      await put('healthy', B)
      await put('unhealthy', { ...A, ...DOUBTFUL })
      await advance(1_000)
      await put('healthy', B)
      // The suspicion is as old as the grace, so the opening leaves it.
      await advance(5_000)
      await put('unhealthy', B, 9)
      expect(kinds(await put('unhealthy', C))).toEqual(['opened'])
      await advance(10_000)
      const ask = (token: string) =>
        testProvider.admit(token, { incarnation: 'life-of-a', failureDomain: 'node-a' })
      expect(await ask('too soon')).toMatchObject({ admitted: false, retryAfterMs: 1_000 })
      await advance(1_000)
      const { trial, generation } = await ask('trial')
      expect(trial).toBe(true)
      expect(await suspects()).toEqual(['a'])
      expect(kinds(await testProvider.send([run('unhealthy', { generation, token: 'trial' })], A))).toEqual([
        'opened',
      ])
    })

    it('keeps all domains but one from the next trials, those first whose trials failed last', async () => {
      const { put, advance, testProvider } = await fleet(open)
      const ask = (at: string, token: string) =>
        testProvider.admit(token, { incarnation: at, failureDomain: at })
      await put('healthy', C)
      await put('unhealthy', B, 9)
      await put('unhealthy', A)
      // The first to fail may try again when the two others have.
      const turns = ['node-a', 'node-b', 'node-c', 'node-a']
      for (const [turn, domain] of turns.entries()) {
        await advance(10_000)
        for (const failed of turns.slice(Math.max(0, turn - 2), turn))
          expect(await ask(failed, `no-${turn}`)).toMatchObject({ admitted: false, retryAfterMs: 1_000 })
        const token = `trial-${turn}`
        const { trial, generation } = await ask(domain, token)
        expect(trial).toBe(true)
        await testProvider.send([run('unhealthy', { generation, token })], from(domain, domain))
      }
    })

    it('forgets a suspect that is silent for a minute, and clears all by a reset', async () => {
      const { put, suspects, advance, testProvider } = await fleet(open)
      const suspect = async () => {
        await put('unhealthy', { ...A, ...DOUBTFUL })
        await advance(200)
        await put('healthy', B)
      }
      await put('healthy', B)
      await suspect()
      await advance(59_800)
      await put('healthy', B)
      expect(await suspects()).toEqual(['a'])
      await advance(1)
      expect(kinds(await put('healthy', B))).toEqual(['worker_cleared'])
      await suspect()
      expect(await suspects()).toEqual(['a'])
      expect(kinds(await testProvider.reset())).toEqual(['worker_cleared', 'reset'])
      expect(await suspects()).toEqual([])
    })
  })
}
