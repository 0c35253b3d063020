/** Whether another job may be taken. */
export interface TakingSlots {
  readonly free: boolean
  /** One is being fetched. Answers what is to be called with the number of its probes; 0 when there was none. */
  reserve(): (probes: number) => void
  ended(): Promise<void>
}

/**
 * How many probes this process makes at once. Probes are taken in jobs of several, while fewer are under way than there are
 * slots; those of the last job that find none wait for one. A probe that has been made gives its slot to the next, while
 * what it found is on its way to Redis; it is under way until it is there.
 */
export class ProbeSlots implements TakingSlots {
  readonly #size: number
  readonly #now: () => number
  #taken = 0
  #fetching = 0
  #running = 0
  readonly #waiting: (() => void)[] = []
  #watchers: (() => void)[] = []
  #freedAt = -Infinity

  /** @param now ms */
  constructor(size: number, now: () => number = () => performance.now()) {
    this.#size = size
    this.#now = now
  }

  /** Whether more may be taken. Where probes are quick the next job is fetched ahead: fetching it takes longer than they do. */
  get free(): boolean {
    const taken = this.#taken + this.#fetching * JOB
    if (taken < this.#size) return true
    const ahead = Math.min(JOB, this.#size)
    return taken < this.#size + ahead && this.#now() - this.#freedAt < QUICK_MS
  }

  /** A job is being fetched: until the answer is called with how many probes it has, it counts for a large one. */
  reserve(): (probes: number) => void {
    this.#fetching += 1
    return (probes) => {
      this.#fetching -= 1
      this.#taken += probes
      this.#wake()
    }
  }

  /** Resolves when a probe, or the fetching of a job, has ended; at once where none is under way. */
  ended(): Promise<void> {
    if (this.#taken + this.#fetching === 0) return Promise.resolve()
    return new Promise((resolve) => this.#watchers.push(resolve))
  }

  /** Resolves when nothing is under way. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.ended()
  }

  /** Makes the probe of each of `items`, which were reserved, as soon as there is a slot for it, until it calls `made`. */
  all<T, R>(items: readonly T[], probe: (item: T, made: () => void) => Promise<R>): Promise<R[]> {
    return Promise.all(items.map((item) => this.#run((made) => probe(item, made))))
  }

  async #run<R>(work: (made: () => void) => Promise<R>): Promise<R> {
    if (this.#running >= this.#size) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    let holds = true
    const made = () => {
      if (holds) this.#release()
      holds = false
    }
    try {
      return await work(made)
    } finally {
      made()
      this.#taken -= 1
      this.#wake()
    }
  }

  #wake(): void {
    for (const wake of this.#watchers.splice(0)) wake()
  }

  #release(): void {
    this.#freedAt = this.#now()
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next() // it has this slot
  }
}

/** Probes of a large job. */
const JOB = 8
/** Probes are quick while one has ended within this, ms. */
const QUICK_MS = 20
