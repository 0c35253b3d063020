import type { Run } from '../model/ports.js'
import type { Host, Link } from './link.js'

/**
 * A process's outcomes for one provider, on their way to the store, in order.
 *
 * One batch is under way at a time; what comes meanwhile waits for the next and goes as one (group commit), so
 * that the number of commands follows round trips and not calls. Whoever adds an outcome is told when its batch
 * was applied, or that it was not. Equal neighbours are merged into one run.
 *
 * A batch whose reply does not come is not sent again: its outcomes are counted as lost, and whoever waits for
 * them gets the error.
 */
export class Outbox {
  readonly #host: Host
  readonly #link: Link
  #waiting: Entry[] = []
  #flushing: Promise<void> | undefined
  #sequence = 0

  constructor(host: Host, link: Link) {
    this.#host = host
    this.#link = link
  }

  /** Resolves when the outcome has been applied. */
  add(run: Run): Promise<void> {
    const applied = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject })
    })
    this.#flushing ??= this.#flush()
    return applied
  }

  /** Resolves when everything added before has been applied, or has failed. */
  async drain(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing
  }

  async #flush(): Promise<void> {
    // Outcomes of this very tick come along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      await this.#send(batch)
    }
    // In the same turn as the last look: an outcome added after it finds no flush under way, and starts one.
    this.#flushing = undefined
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    const runs = mergeRuns(batch.map((entry) => entry.run))
    this.#sequence += 1
    const sequence = this.#sequence
    const { incarnation } = this.#host
    try {
      await this.#link.run('record', (store) =>
        store.record(this.#link.id, {
          ...this.#link.caller,
          incarnation,
          sequence,
          resent: false,
          jitterDraw: Math.random(),
          runs,
        }),
      )
      for (const entry of batch) entry.resolve()
    } catch (error) {
      this.#host.counters.outcomesLost += runs.reduce((sum, run) => sum + run.count, 0)
      for (const entry of batch) entry.reject(error)
    }
  }
}

interface Entry {
  readonly run: Run
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Outcomes in one batch at most: it bounds the time that a script holds Redis. */
const MAX_BATCH = 1_000

function mergeRuns(runs: readonly Run[]): Run[] {
  const merged: Run[] = []
  for (const run of runs) {
    const last = merged.at(-1)
    if (last !== undefined && mergeable(last, run))
      merged[merged.length - 1] = { ...last, count: last.count + run.count }
    else merged.push(run)
  }
  return merged
}

const mergeable = (a: Run, b: Run): boolean =>
  a.origin === 'call' &&
  b.origin === 'call' &&
  a.outcome === b.outcome &&
  a.generation === b.generation &&
  a.token === '' &&
  b.token === '' &&
  a.retryAfterMs === b.retryAfterMs &&
  a.detail === b.detail
