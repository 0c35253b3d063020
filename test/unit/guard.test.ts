import type { Job, Worker } from 'bullmq'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { guard, holdWhileOpen, type GuardOptions, type HeldWorker } from '../../src/bullmq/index.js'
import { coreOf } from '../../src/client/busbar.js'
import { providerCoreOf } from '../../src/client/provider.js'
import { GroupExhaustedError, type GroupAttempt, type Provider } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'

async function open(): Promise<Provider> {
  const busbar = createTestBusbar()
  coreOf(busbar).context.observers.startMeters()
  onTestFinished(() => busbar.close())
  return busbar.provider('mail', { breaker: { failureThreshold: 1, cooldownMs: 1_000 } })
}

/** A job in its shape, for what the real ones do not show: when it is to come back. */
function aJob(attemptsStarted = 1) {
  const moves: number[] = []
  return {
    moves,
    ...{ id: '7', queueName: 'mails', timestamp: Date.now(), opts: {}, attemptsMade: 0, attemptsStarted },
    moveToDelayed: (timestamp: number) => {
      moves.push(timestamp - Date.now())
      return Promise.resolve()
    },
  }
}

const deferredJobs = (provider: Provider) => providerCoreOf(provider).meter?.deferredJobs.entries()

const rejection = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error)

describe('guard', () => {
  it('makes a processor of three parameters, for BullMQ gives a signal to no other', async () => {
    const provider = await open()
    const processor = guard(provider, (job: Job<{ to: string }>) => job.data.to)
    expect(processor).toHaveLength(3)
    expectTypeOf(processor).toExtend<ConstructorParameters<typeof Worker<{ to: string }, string>>[1]>()
    expectTypeOf<Worker>().toExtend<HeldWorker>()
    // A job without a type of its own has content of any type, as in BullMQ.
    const untyped = guard(
      // eslint-disable-next-line @typescript-eslint/no-unsafe-member-access -- that is what is asked here
      (job) => (job.data.to === 'x' ? provider : undefined),
      (job, _, signal) => [job.id, signal.aborted],
    )
    expectTypeOf(untyped).toExtend<ConstructorParameters<typeof Worker>[1]>()
  })

  it.each([
    [{ spreadMs: -1 }, 'guard.spreadMs: expected a whole number from 0 to 60000, got -1'],
    [{ maxDeferMs: 'x' }, 'guard.maxDeferMs: expected a whole number from 0 to 315360000000, got "x"'],
    [{ deferOn: 'failure' }, 'guard.deferOn: expected one of refusal, outage, got "failure"'],
    [{ outageWaitMs: NaN }, 'guard.outageWaitMs: expected a whole number from 0 to 600000, got NaN'],
    [{ deferOnly: 1 }, 'guard.deferOnly: expected true or false, got 1'],
    [{ spread: 1 }, 'guard.spread: unknown setting (got 1)'],
    [7, 'guard: expected an object, got 7'],
  ])('refuses the options %j', async (options, message) => {
    const provider = await open()
    // Wrong on purpose.
    expect(() => guard(provider, () => 1, options as GuardOptions)).toThrow(message)
  })

  it('defers a job whose provider cannot be found because the busbar was closed', async () => {
    const busbar = createTestBusbar()
    await busbar.close()
    const find = () => busbar.provider('mail')
    const job = aJob()
    expect(await rejection(guard(find, () => 1, { spreadMs: 0 })(job))).toMatchObject({
      name: 'DelayedError',
    })
    expect(job.moves).toEqual([expect.closeTo(30_000, -4)])
    const limited = Object.assign(aJob(), { queue: { opts: { maxStartedAttempts: 3 } } })
    const closed = { code: 'busbar_closed' }
    expect(await rejection(guard(find, () => 1)(limited))).toMatchObject(closed)
    const other = guard(
      () => Promise.reject(new Error('no such tenant')),
      () => 1,
    )
    expect(await rejection(other(aJob()))).toMatchObject({ message: 'no such tenant' })
    expect([...limited.moves, job.moves.length]).toEqual([1])
  })

  it('refuses what is no provider, no processor, no job', async () => {
    const provider = await open()
    // @ts-expect-error: no provider
    expect(() => guard('mail', () => 1)).toThrow(
      /^provider: expected a provider, or a function .*, got "mail"$/,
    )
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    const group = busbar.group('llm')
    const instead =
      'got group llm: give guard one of its members with deferOnly: true, and call execute of the group in the processor'
    // @ts-expect-error: a group is no provider
    expect(() => guard(group, () => 1)).toThrow(instead)
    await expect(
      guard(
        // @ts-expect-error: nor is one that a function finds
        () => group,
        () => 1,
      )(aJob()),
    ).rejects.toThrow(instead)
    // @ts-expect-error: no processor
    expect(() => guard(provider, './processor.js')).toThrow(
      'processor: expected a function, got "./processor.js"',
    )
    // @ts-expect-error: it is no job
    await expect(guard(provider, () => 1)({ id: '1' })).rejects.toThrow(
      'job: expected a job of BullMQ 5.73.5',
    )
    await expect(
      guard(
        () => undefined,
        () => 1,
      )(aJob()),
    ).rejects.toThrow('provider: expected one for job mails 7, got nothing')
    // @ts-expect-error: it is no worker
    expect(() => holdWhileOpen({ name: 'w' }, [provider])).toThrow(
      /^worker: expected a worker of BullMQ .* \(no on\)$/,
    )
  })

  it.each([
    ['when the refusal ends', { forMs: 400 }, 1, [400, 500]],
    ['after 30 s, where nothing says when', {}, 1, [30_000, 30_100]],
    ['later with each deferral', { forMs: 400 }, 4, [400, 1_200]],
    ['a minute later at most', { forMs: 400 }, 4_000, [400, 60_400]],
  ] as const)('defers a job until %s', async (_, trip, started, [least, most]) => {
    const provider = await open()
    await provider.trip(trip)
    const job = aJob(started)
    const processor = guard(provider, () => 1, { spreadMs: 100 })
    for (let i = 0; i < 200; i += 1)
      expect(await rejection(processor(job))).toMatchObject({ name: 'DelayedError' })
    // A timestamp was made a moment before it was looked at.
    expect(Math.min(...job.moves)).toBeGreaterThanOrEqual(least - 50)
    expect(Math.max(...job.moves)).toBeLessThanOrEqual(most + 1)
    expect(Math.max(...job.moves) - Math.min(...job.moves)).toBeGreaterThan((most - least) * 0.5)
    expect(deferredJobs(provider)).toEqual([{ words: ['mails'], count: 200 }])
  })

  const failed: GroupAttempt = { id: 'a', error: new Error('down') }
  it.each([
    ['by its retryAfterMs', [{ id: 'a', code: 'circuit_open' }], 400, [400, 500]],
    ['by 30 s, where no member says when', [{ id: 'a', code: 'marked_unhealthy' }], null, [30_000, 30_100]],
    ['by 30 s, where it has no member', [], null, [30_000, 30_100]],
    [
      'where a member refuses beside one that failed',
      [failed, { id: 'b', code: 'throttled' }],
      400,
      [400, 500],
    ],
    ['where a member refuses since it failed', [failed, { id: 'b', code: 'timeout' }], 400, [400, 500]],
    ['not where all failed and none refuses', [failed, { id: 'b', code: 'unhealthy' }], null, undefined],
  ] as const)('defers a job that a group refuses: %s', async (_, attempts, retryAfterMs, expected) => {
    const provider = await open()
    const job = aJob()
    const error = new GroupExhaustedError('llm', attempts, [], retryAfterMs)
    const thrown = await rejection(guard(provider, () => Promise.reject(error), { spreadMs: 100 })(job))
    if (expected === undefined) expect([thrown, job.moves]).toEqual([error, []])
    else {
      expect(thrown).toMatchObject({ name: 'DelayedError' })
      expect(job.moves[0]).toBeGreaterThanOrEqual(expected[0] - 50)
      expect(job.moves[0]).toBeLessThanOrEqual(expected[1] + 1)
    }
    // The call said nothing of the provider of the guard.
    expect(await provider.history()).toEqual([])
  })

  it('lets the refusal fail a job that BullMQ does not move, and says why', async () => {
    const provider = await open()
    await provider.trip()
    const job = { ...aJob(), moveToDelayed: () => Promise.reject(new Error('Missing lock')) }
    expect(await rejection(guard(provider, () => 1)(job))).toMatchObject({ code: 'circuit_open' })
    expect(deferredJobs(provider)).toEqual([])
  })

  it("with deferOn: 'outage' waits for the circuit, and throws the failure where it stays closed", async () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    const provider = await busbar.provider('mail', { breaker: { failureThreshold: 2 } })
    const [job, later] = [aJob(), aJob()]
    const fail = guard(provider, () => Promise.reject(new Error('down')), {
      deferOn: 'outage',
      outageWaitMs: 500,
    })
    const thrown = rejection(fail(job))
    await busbar.clock.advanceAsync(500)
    expect(await thrown).toMatchObject({ message: 'down' })
    const wait = rejection(fail(later))
    expect(await wait).toMatchObject({ name: 'DelayedError' })
    expect([job.moves.length, later.moves.length]).toEqual([0, 1])
    expect(providerCoreOf(provider).session.cache.onChange).toBeUndefined()
  })

  it('defers a job that meets a closed busbar: another process can run it', async () => {
    const busbar = createTestBusbar()
    const provider = await busbar.provider('mail')
    await busbar.close()
    expect(await rejection(guard(provider, () => 1)(aJob()))).toMatchObject({ name: 'DelayedError' })
  })
})
