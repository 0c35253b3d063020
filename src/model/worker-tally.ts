/** How the calls of one worker to one provider ended in the last 30 to 60 s. */
export interface WorkerTally {
  /** The name of the worker; `*`: all beyond the first 500. */
  readonly worker: string
  /** Calls, without those that were ignored. */
  readonly calls: number
  /** Those of them that failed. */
  readonly failures: number
  /** Calls that have failed since the last that did not. */
  readonly inARow: number
  /** When the last of them was applied, store ms. */
  readonly lastAt: number
}

/** Stands for the workers beyond the first 500; no worker can be called so. */
export const OTHER_WORKERS = '*'

export const byWorker = (a: WorkerTally, b: WorkerTally): number => (a.worker < b.worker ? -1 : 1)
