import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import type { Job as BullJob, Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import { expect, it, onTestFinished } from 'vitest'
import { guard, holdWhileOpen, type GuardOptions } from '../../../src/bullmq/index.js'
import type { Busbar, Logger, Provider, SettingsInput } from '../../../src/index.js'
import { deferred } from '../deferred.js'
import { eventually } from '../eventually.mjs'
import { realFleet } from '../real-fleet.js'

/** What the cases use of a copy of BullMQ; both major versions have it. */
export interface BullMQ {
  readonly Worker: typeof BullWorker
  readonly Queue: typeof BullQueue
  readonly UnrecoverableError: new (message: string) => Error
}

/** A copy of BullMQ by name or path, as a program that requires it would get it. */
export const loadBullMQ = (path: string): BullMQ => createRequire(import.meta.url)(path) as BullMQ // whichever is installed there

type Process = (job: BullJob, token: string | undefined, signal: AbortSignal) => unknown

interface Opened {
  readonly busbar: Busbar
  readonly provider: Provider
  readonly other: Provider
  readonly connection: Redis
  readonly namespace: string
  readonly url: string
  readonly queue: BullQueue
  readonly logged: string[]
  /** Closed with the test. */
  readonly workers: BullWorker[]
  readonly work: (process: Process, options?: WorkOptions) => BullWorker
  readonly add: (count: number, attempts?: number) => Promise<BullJob[]>
}

interface WorkOptions {
  readonly guard?: GuardOptions
  readonly worker?: object
}

const QUICK: SettingsInput = { breaker: { failureThreshold: 1, cooldownMs: 300 } }

/** A queue with a worker in this process, and a provider that another process sees too. All end with the test. */
async function open({ Worker, Queue }: BullMQ, settings: SettingsInput = QUICK): Promise<Opened> {
  const { namespace, url, join } = realFleet()
  const logged: string[] = []
  const log = (level: string) => (_: object, message: string) => void logged.push(`${level} ${message}`)
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const busbar = await join({ logger })
  const provider = await busbar.provider('mail', settings)
  const other = await (await join()).provider('mail')
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const queue = new Queue(namespace, { connection })
  const workers: BullWorker[] = []
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.close(true)))
    await queue.obliterate({ force: true })
    await queue.close()
    connection.disconnect()
  })
  return {
    ...{ busbar, provider, other, connection, namespace, url },
    ...{ queue, logged, workers },
    work(process, { guard: options = {}, worker: more = {} } = {}) {
      const processor = guard(provider, (job: BullJob, token, signal) => process(job, token, signal), {
        spreadMs: 50,
        ...options,
      })
      const worker = new Worker(namespace, processor, { connection, concurrency: 3, drainDelay: 1, ...more })
      worker.on('error', () => undefined)
      workers.push(worker)
      return worker
    },
    add: (count, attempts = 3) =>
      queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'send', data: i, opts: { attempts } }))),
  }
}

/** A processor that BullMQ runs in a process of its own. */
const SANDBOXED = fileURLToPath(new URL('sandboxed.mjs', import.meta.url))

const down = () => Promise.reject(Object.assign(new Error('unavailable'), { status: 503 }))
const jobOf = async (queue: BullQueue, added: BullJob | undefined) => {
  const job = (await queue.getJob(added?.id ?? '')) as BullJob | undefined // its type has more parameters in one version than in the other
  if (job === undefined) throw new Error(`no job ${added?.id}`)
  return job
}

/** What `guard` and `holdWhileOpen` do with workers of this copy of BullMQ. */
export function guardCases(bullmq: BullMQ): void {
  it('a refused job is deferred until the refusal ends, and spends no attempt', async () => {
    const { provider, queue, work, add } = await open(bullmq)
    await provider.trip({ forMs: 400 })
    const [job] = await add(1)
    const worker = work(() => 'sent')
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(1))
    const waiting = await jobOf(queue, job)
    expect([waiting.attemptsMade, waiting.attemptsStarted]).toEqual([0, 1])
    expect(waiting.delay).toBeGreaterThan(0)
    expect(waiting.delay).toBeLessThanOrEqual(460)
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(1))
    // The attempt that succeeded.
    expect((await jobOf(queue, job)).attemptsMade).toBe(1)
    expect(worker.isPaused()).toBe(false)
  })

  it("a job's own failures spend attempts, and those of an outage do not with deferOn: 'outage'", async () => {
    const { queue, work, add } = await open(bullmq, { breaker: { failureThreshold: 2, cooldownMs: 60_000 } })
    const jobs = await add(2)
    // One failure alone opens nothing: it is thrown after the wait. The other opens the circuit, and is deferred.
    work((job) => (job.data === 0 || job.attemptsMade === 0 ? down() : undefined), {
      guard: { deferOn: 'outage', outageWaitMs: 200 },
      worker: { concurrency: 1 },
    })
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(2))
    const ended = await Promise.all(jobs.map((job) => jobOf(queue, job)))
    expect(ended.map(({ attemptsMade }) => attemptsMade)).toEqual([1, 0])
  })

  it('a job that is deferred for longer than maxDeferMs fails as any job does', async () => {
    const { provider, queue, work, add } = await open(bullmq)
    await provider.trip()
    const [job] = await add(1, 1)
    work(() => 'sent', { guard: { maxDeferMs: 300, spreadMs: 1 } })
    await eventually(async () => expect(await queue.getFailedCount()).toBe(1))
    const failed = await jobOf(queue, job)
    expect(failed.failedReason).toMatch(/^call to mail refused: circuit open/)
    expect(failed.attemptsStarted).toBeGreaterThan(1)
  })

  it('a refusal from inside the processor defers, with deferOnly the processor makes the call itself', async () => {
    const { provider, queue, work, add } = await open(bullmq)
    await provider.trip({ forMs: 300 })
    await add(1)
    let calls = 0
    work(() => provider.execute(() => (calls += 1)), { guard: { deferOnly: true } })
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(1))
    expect(calls).toBe(0)
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(1))
    // The guard itself made no call.
    expect([calls, await provider.historySize()]).toEqual([1, 1])
  })

  it('a job that a group refuses is deferred until a member admits calls; one that fails at all members spends an attempt', async () => {
    const { busbar, provider, queue, work, add } = await open(bullmq)
    const settings: SettingsInput = { group: 'llm', breaker: { failureThreshold: 3 } }
    const members = [await busbar.provider('a', settings), await busbar.provider('b', settings)]
    const llm = busbar.group('llm')
    expect(await llm.members()).toHaveLength(2)
    let fail = false
    const call = ({ id }: { readonly id: string }) => (fail ? down() : id)
    work((_, __, signal) => llm.execute(call, { signal }), { guard: { deferOnly: true } })
    for (const [i, member] of members.entries()) await member.trip({ forMs: 2_000 + i * 60_000 })
    const [job] = await add(1)
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(1))
    const waiting = await jobOf(queue, job)
    expect([waiting.attemptsMade, waiting.attemptsStarted]).toEqual([0, 1])
    expect(waiting.delay).toBeGreaterThan(0)
    expect(waiting.delay).toBeLessThanOrEqual(2_060)
    for (const member of members) await member.reset()
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(1))
    expect((await jobOf(queue, job)).returnvalue).toMatch(/^[ab]$/)
    // Both are called, and neither refuses after it: there is nothing to wait for.
    fail = true
    const [own] = await add(1, 1)
    await eventually(async () => expect(await queue.getFailedCount()).toBe(1))
    const failed = await jobOf(queue, own)
    expect([failed.attemptsMade, failed.failedReason]).toEqual([
      1,
      expect.stringMatching(/^no member of group llm is left: . \(HTTP 503\), . \(HTTP 503\)$/),
    ])
    expect(await provider.history()).toEqual([])
  })

  it('a sandboxed processor (a file) is guarded as well', async () => {
    const { provider, queue, workers, connection, namespace, url } = await open(bullmq)
    await provider.trip()
    const worker = new bullmq.Worker(namespace, SANDBOXED, { connection, drainDelay: 1 })
    worker.on('error', () => undefined)
    workers.push(worker)
    const job = await queue.add('send', { url, namespace }, { attempts: 3 })
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(1), {
      what: 'its process has started, and the job is deferred',
      timeoutMs: 60_000,
    })
    expect((await jobOf(queue, job)).attemptsMade).toBe(0)
    await provider.reset()
    await (await jobOf(queue, job)).promote()
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(1))
    const done = await jobOf(queue, job)
    expect([done.returnvalue, done.attemptsMade]).toEqual(['sent', 1])
    expect(done.attemptsStarted).toBe(2)
  })

  it('a worker with maxStartedAttempts is not held, and its jobs fail at the refusal, said once', async () => {
    const { provider, queue, logged, work, add } = await open(bullmq)
    await provider.trip()
    const worker = work(() => 'sent', { worker: { maxStartedAttempts: 4 } })
    expect(() => holdWhileOpen(worker, [provider])).toThrow(
      /^worker\.opts\.maxStartedAttempts: expected none, got 4/,
    )
    await add(2, 1)
    await eventually(async () => expect(await queue.getFailedCount()).toBe(2))
    expect(logged.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('maxStartedAttempts'),
    ])
  })

  it('a cancelled job ends as its processor ends it, and says nothing of the provider', async () => {
    const { provider, queue, work, add } = await open(bullmq)
    const began = deferred<undefined>()
    const [job] = await add(1)
    const worker = work(async (_, __, signal) => {
      began.resolve(undefined)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new bullmq.UnrecoverableError('not wanted any more')
    })
    await began.promise
    worker.cancelJob(job?.id ?? '')
    await eventually(async () => expect(await queue.getFailedCount()).toBe(1))
    expect((await jobOf(queue, job)).failedReason).toBe('not wanted any more')
    expect(await provider.history()).toEqual([])
  })

  it('a held worker takes no job, and goes on when another process closes the circuit', async () => {
    const { provider, other, queue, work, add } = await open(bullmq)
    let done = 0
    const worker = work(() => (done += 1))
    using hold = holdWhileOpen(worker, [provider])
    expect(() => holdWhileOpen(worker, [provider])).toThrow(/is held already/)
    await other.trip()
    await eventually(() => worker.isPaused())
    await add(20)
    expect(done).toBe(0)
    expect(await queue.isPaused()).toBe(false)
    await other.reset()
    // A job for each slot may come after the pause: nothing says when this trip ends, so it is deferred by 30 s.
    await eventually(async () => done + (await queue.getDelayedCount()) === 20)
    expect(done).toBeGreaterThanOrEqual(17)
    expect([worker.isPaused(), hold]).toEqual([false, hold])
    expect(Object.keys(worker)).toContain('pause')
    hold[Symbol.dispose]()
    expect(Object.keys(worker)).not.toContain('pause')
  })

  it('resumes only what the hold paused: a pause of the user stays, one while it holds too', async () => {
    const { provider, work, add } = await open(bullmq)
    let done = 0
    const worker = work(() => (done += 1))
    using hold = holdWhileOpen(worker, [provider])
    expect(hold).toBeDefined()
    for (const first of [true, false]) {
      if (first) await worker.pause()
      await provider.trip()
      await eventually(() => worker.isPaused())
      if (!first) await worker.pause()
      await provider.reset()
      await eventually(() => provider.peek()?.state === 'closed')
      expect(worker.isPaused()).toBe(true)
      await worker.resume()
      expect(worker.isPaused()).toBe(false)
    }
    await add(1)
    await eventually(() => done === 1)
  })

  it('takes one job at a time in half-open', async () => {
    const { provider, work, add } = await open(bullmq)
    const trial = deferred<undefined>()
    let [now, most, done] = [0, 0, 0]
    const worker = work(async () => {
      now += 1
      most = Math.max(most, now)
      await trial.promise
      now -= 1
      done += 1
    })
    using hold = holdWhileOpen(worker, [provider])
    expect(hold).toBeDefined()
    await provider.trip({ forMs: 200 })
    await add(10)
    await eventually(() => now === 1 && worker.isPaused())
    expect([(await provider.snapshot()).trials, most]).toEqual([1, 1])
    trial.resolve(undefined)
    await eventually(() => done === 10)
    expect(provider.peek()?.state).toBe('closed')
  })

  it('lets go when it is disposed of, when the worker meets an error, and when the provider is gone', async () => {
    const { provider, other, work } = await open(bullmq)
    const worker = work(() => undefined)
    const hold = holdWhileOpen(worker, [provider])
    await other.trip()
    await eventually(() => worker.isPaused())
    worker.emit('error', new Error('a connection'))
    expect(worker.isPaused()).toBe(false)
    // Until something changes.
    await other.trip({ reason: 'again' })
    await eventually(() => worker.isPaused())
    hold[Symbol.dispose]()
    hold[Symbol.dispose]()
    expect(worker.isPaused()).toBe(false)
    const closing = holdWhileOpen(worker, [provider])
    expect(worker.isPaused()).toBe(true)
    await worker.close()
    expect(Object.keys(worker)).not.toContain('pause')
    closing[Symbol.dispose]()
  })
}
