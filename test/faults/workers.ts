import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import type { Provider, Snapshot } from '../../src/index.js'
import type { CircuitState, Outcome, ProviderEvent, RefusalCode, SettingsInput } from '../../src/index.js'
import { clockKey, LUA_SOURCE, START_MS } from '../harness/clock.js'
import { forkWorker, type Job, type Worker } from '../harness/workers/fork.mjs'

/** What `caller.mjs` does when asked. */
export interface CallerActions {
  /** Keeps the permit, if there is one, under a name. */
  admit(permit: string): AdmitAnswer
  settle(permit: string, outcome: Outcome, options?: { retryAfterMs: number }): { applied: boolean }
  /** A guarded call that is answered so. */
  answer(status: number, headers: Record<string, string>): void
  record(outcome: Outcome, options?: { retryAfterMs: number }): void
  /** Reads the provider, then records so many failures one after the other. */
  fail(times: number): void
  control(method: Control, options?: object): void
  snapshot(): Snapshot
  peek(): Snapshot | undefined
  counters(): Record<string, number>
  remove(): void
}
type Control = 'trip' | 'reset' | 'resume' | 'markUnhealthy' | 'markDegraded' | 'markTerminated'
type AdmitAnswer =
  | { readonly admitted: true; readonly generation: number; readonly trial: boolean }
  | { readonly admitted: false; readonly code: RefusalCode; readonly retryAfterMs: number | null }

/** What `traffic.mjs` counted. */
export interface Seen {
  readonly calls: number
  readonly admitted: number
  readonly trials: number
  /** Trials that met another trial, as the callers counted themselves. */
  readonly overlappingTrials: number
  readonly refused: Partial<Record<RefusalCode, number>>
  readonly errors: Record<string, number>
}
export interface TrafficActions {
  start(): void
  seen(): Seen
  stop(): Seen
  peek(): Snapshot | undefined
}

/** Where a test's processes meet. */
export interface Meeting {
  readonly url: string
  readonly namespace: string
}

interface WorkerOptions {
  readonly id?: string
  readonly settings?: SettingsInput
  readonly extra?: object
  /** `false`: by Redis's own clock, not the double. */
  readonly clockDouble?: boolean
  readonly options?: object
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

let started = 0

/** Starts one process of the fleet; it is killed when the test ends, if it still lives. */
export async function worker<A extends { [K in keyof A]: (...args: never[]) => unknown }>(
  kind: string,
  { url, namespace }: Meeting,
  { id = 'openai', clockDouble = true, settings, extra, options, execArgv, env }: WorkerOptions = {},
): Promise<Worker<A>> {
  started += 1
  const source = clockDouble ? LUA_SOURCE : { dir: LUA_SOURCE.dir }
  const job: Job = {
    redis: url,
    namespace,
    workerId: `${kind}-${started}`,
    id,
    source,
    ...(settings === undefined ? {} : { settings }),
    ...(extra === undefined ? {} : { extra }),
    ...(options === undefined ? {} : { options }),
  }
  const forked = await forkWorker<A>(kind, job, {
    ...(execArgv === undefined ? {} : { execArgv }),
    ...(env === undefined ? {} : { env }),
  })
  onTestFinished(() => forked.kill())
  return forked
}

export const caller = (meeting: Meeting, options?: WorkerOptions) =>
  worker<CallerActions>('caller', meeting, options)

export const trafficWorker = (meeting: Meeting, options: WorkerOptions) =>
  worker<TrafficActions>('traffic', meeting, options)

/** A Redis of one test, to be wiped and restarted as it likes, whose scripts live by a clock of ours. */
export interface PrivateRedis extends Meeting {
  readonly redis: Redis
  setClock(ms: number): Promise<void>
  /** FLUSHALL; the clock is there again before anybody can miss it. */
  wipe(): Promise<void>
  /** Killed and started again on the same port. */
  restart(): Promise<void>
}

/** `persistent`: it has its data again after a restart; else nothing. */
export async function privateRedis({ persistent = false } = {}): Promise<PrivateRedis> {
  const namespace = 'private'
  const dir = persistent ? mkdtempSync(join(tmpdir(), 'busbar-faults-')) : undefined
  const options = dir === undefined ? {} : { dir, args: ['--appendonly', 'yes'] }
  let server: EmbeddedRedis = await startRedis(options)
  const { url, port } = server
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on('error', () => undefined) // while it is away; a command waits for it
  let nowMs = START_MS
  const setClock = async (ms: number) => {
    nowMs = ms
    await redis.set(clockKey(namespace), ms)
  }
  await setClock(nowMs)
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
    if (dir !== undefined) rmSync(dir, { recursive: true })
  })
  return {
    url,
    namespace,
    redis,
    setClock,
    wipe: async () => {
      await redis.multi().flushall().set(clockKey(namespace), nowMs).exec()
    },
    restart: async () => {
      await server.stop()
      server = await startRedis({ ...options, port })
    },
  }
}

/** Lets all who wait for the signal go at once: one message, after each has said that it waits. */
export async function signalAll(
  redis: Redis,
  channel: string,
  workers: readonly { ask(action: 'ready'): Promise<unknown> }[],
): Promise<void> {
  await Promise.all(workers.map((one) => one.ask('ready')))
  await redis.publish(channel, 'go')
}

/** What of a snapshot a late result must leave alone: everything but the history and what is counted. */
export function decided(snapshot: Snapshot) {
  const { state, generation, version, reason, openedAt, retryAfterMs, cooldownMs, trials, trialFreeInMs } =
    snapshot
  const { consecutiveFailures, probeConsecutiveFailures, consecutiveSuccesses, throttledForMs, mark } =
    snapshot
  return {
    ...{ state, generation, version, reason, openedAt, retryAfterMs, cooldownMs, trials, trialFreeInMs },
    ...{ consecutiveFailures, probeConsecutiveFailures, consecutiveSuccesses, throttledForMs, mark },
  }
}

/** Three failures in a row, each of the generation of now. */
export async function openCircuit(provider: Provider, failures = 3): Promise<void> {
  await provider.snapshot()
  for (let i = 0; i < failures; i += 1) await provider.recordFailure()
  expect(await provider.state()).toBe('open' satisfies CircuitState)
}

export const kindsOf = (events: readonly ProviderEvent[]) => events.map((event) => event.kind)
