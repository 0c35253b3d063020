import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { LUA_SOURCE } from '../harness/clock.js'
import { startUpstream, type HttpUpstream } from '../harness/http-upstream.js'
import { realFleet } from '../harness/real-fleet.js'
import { forkWorker, type Worker } from '../harness/workers/fork.mjs'

/** What the callers of one worker got. */
export interface Seen {
  readonly calls: number
  /** By provider. */
  readonly answers: Readonly<Record<string, number>>
  readonly errors: readonly {
    readonly code: string | undefined
    readonly message: string
    readonly why: readonly { readonly id: string; readonly why: string }[] | undefined
    readonly retryAfterMs: number | null
  }[]
}

interface Actions {
  start(): void
  stop(): Seen
  order(): readonly { readonly id: string; readonly admissible: boolean; readonly health: string }[]
}

const WORKERS = 4
/** Of all workers together. */
const CALLS_PER_SECOND = 100

const SETTINGS = {
  group: 'llm',
  breaker: { failureThreshold: 3, cooldownMs: 500 },
  history: { windowMs: 2_000 },
}

export interface GroupFleet {
  readonly upstreams: { readonly a: HttpUpstream; readonly b: HttpUpstream }
  readonly workers: readonly Worker<Actions>[]
}

/** Four processes that call two providers of one group, each a real server, 100 times a second in all. */
export async function groupFleet(): Promise<GroupFleet> {
  const { namespace, url: redis } = realFleet()
  const [a, b] = [await startUpstream(), await startUpstream()]
  const members = [
    { id: 'a', url: a.url, settings: SETTINGS },
    { id: 'b', url: b.url, settings: SETTINGS },
  ]
  const job = {
    redis,
    namespace,
    id: 'a',
    settings: SETTINGS,
    options: { consistency: 'cached' },
    source: { dir: LUA_SOURCE.dir },
    extra: { members, perSecond: CALLS_PER_SECOND / WORKERS, timeoutMs: 10_000 },
  }
  const workers = await Promise.all(
    Array.from({ length: WORKERS }, (_, i) => forkWorker<Actions>('grouped', { ...job, workerId: `w${i}` })),
  )
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
  })
  return { upstreams: { a, b }, workers }
}

/** How many requests a provider got in one phase, and how long that was. */
export interface Phase {
  readonly name: string
  readonly ms: number
  readonly toA: number
  readonly toB: number
}

export interface FailoverRun {
  readonly phases: readonly Phase[]
  readonly seen: readonly Seen[]
  /** Requests to `a` in each second, from its own log. */
  readonly perSecond: readonly number[]
}

/** `a` answers; then 429 with a pause of 2 s; then 503 for `downMs`; then it answers again. */
export async function failover({ upstreams, workers }: GroupFleet, downMs: number): Promise<FailoverRun> {
  const { a, b } = upstreams
  const phases: Phase[] = []
  const began = performance.now()
  const phase = async (name: string, ms: number) => {
    const [fromA, fromB, from] = [a.requests.length, b.requests.length, performance.now()]
    await sleep(ms)
    const toA = a.requests.length - fromA
    phases.push({ name, ms: Math.round(performance.now() - from), toA, toB: b.requests.length - fromB })
  }
  await Promise.all(workers.map((worker) => worker.ask('start')))
  await phase('both answer', 1_000)
  a.behave({ status: 429, headers: { 'retry-after': '2' } })
  await phase('a answers 429', 2_000)
  a.behave({ status: 503 })
  await phase('a answers 503', downMs)
  a.behave({})
  await phase('a recovers', 2_000)
  await phase('a is back', 1_000)
  const seen = await Promise.all(workers.map((worker) => worker.ask('stop')))
  const perSecond: number[] = []
  for (const { at } of a.requests) {
    const second = Math.floor((at - began) / 1_000)
    perSecond[second] = (perSecond[second] ?? 0) + 1
  }
  return { phases, seen, perSecond: [...perSecond.keys()].map((second) => perSecond[second] ?? 0) }
}
