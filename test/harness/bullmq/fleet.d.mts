import type { Queue } from 'bullmq'
import type { GuardOptions } from '../../../src/bullmq/index.js'
import type { SettingsInput } from '../../../src/index.js'

export const SETTINGS: SettingsInput

export interface WorkerState {
  readonly moved: number
  readonly held: number
  readonly paused: boolean
  readonly counters: { readonly jobsDeferred: number }
  readonly logged: readonly (readonly [level: string, message: string])[]
  readonly circuit: string | undefined
}

export interface WorkerProcess {
  readonly pid: number
  ask(action: 'state'): Promise<WorkerState>
  ask(action: 'pause' | 'resume' | 'dispose' | 'close'): Promise<void>
  kill(): Promise<void>
}

export interface JobFleet {
  readonly queue: Queue
  readonly name: string
  readonly upstream: {
    readonly counts: { served: number; doomed: number; most: number; now: number }
    die(): void
    live(): void
    slow(ms: number): void
  }
  readonly processes: readonly WorkerProcess[]
  fork(): Promise<WorkerProcess>
  add(count: number, options?: object): Promise<void>
  states(): Promise<readonly WorkerState[]>
  counts(): Promise<Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed' | 'paused', number>>
  close(): Promise<void>
}

export function openFleet(options: {
  readonly redis: string
  readonly bullmq?: string
  readonly workers?: number
  readonly concurrency?: number
  readonly hold?: boolean
  /** False: the processor is not guarded. */
  readonly guard?: GuardOptions | false
  readonly settings?: SettingsInput
  readonly lockDurationMs?: number
  readonly stalledMs?: number
}): Promise<JobFleet>

export interface OutageCost {
  readonly jobs: number
  readonly failed: number
  /** Attempts of jobs that ended in a failure. */
  readonly spent: number
  /** Calls that reached the dead provider. */
  readonly doomed: number
  /** Calls of `moveToDelayed`, and how often workers were paused; the most of the one per one of the other in a process. */
  readonly moved: number
  readonly held: number
  readonly mostMovedAHold: number
  readonly deferred: number
  readonly trialsFailed: number
  readonly tookMs: number
}

export function throughOutage(
  fleet: JobFleet,
  options: {
    readonly jobs: number
    readonly deadMs: number
    readonly timeoutMs?: number
    readonly paused?: boolean
  },
): Promise<OutageCost>
