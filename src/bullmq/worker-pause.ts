/**
 * A worker of BullMQ as far as `holdWhileOpen` needs to know it. BullMQ is never imported: the worker is of the user's own copy.
 */
export interface HeldWorker {
  readonly name: string
  pause(doNotWaitActive?: boolean): Promise<void>
  resume(): void | Promise<void>
  isPaused(): boolean
  isRunning(): boolean
  // The listeners' arguments differ from event to event, and from version to version; none is used here.
  on(event: 'active' | 'closing' | 'error', listener: () => void): unknown
  off(event: 'active' | 'closing' | 'error', listener: () => void): unknown
}

/**
 * The pauses of one local worker, by the user and by a hold. BullMQ has one flag for both, and says nothing when a paused worker
 * is paused again. So `pause` and `resume` of this worker object are watched while it is held: a hold ends with the worker
 * paused where the user paused it meanwhile, and a user's `resume` ends the user's pause and not the hold.
 */
export class WorkerPause {
  readonly #worker: HeldWorker
  readonly #pause: HeldWorker['pause']
  readonly #resume: HeldWorker['resume']
  readonly #failed: (error: unknown) => void
  #byUser: boolean
  #byHold = false
  #watching = true
  readonly #restores: readonly (() => void)[]

  constructor(worker: HeldWorker, failed: (error: unknown) => void) {
    this.#worker = worker
    this.#failed = failed
    this.#byUser = worker.isPaused()
    this.#pause = worker.pause.bind(worker)
    this.#resume = worker.resume.bind(worker)
    this.#restores = [restoring(worker, 'pause'), restoring(worker, 'resume')]
    worker.pause = (doNotWaitActive) => {
      if (this.#watching) this.#byUser = true
      return this.#pause(doNotWaitActive)
    }
    worker.resume = () => {
      if (!this.#watching) return this.#resume()
      this.#byUser = false
      return this.#byHold ? undefined : this.#resume()
    }
  }

  /** Whether the hold has it paused. */
  get held(): boolean {
    return this.#byHold
  }

  /** Takes no job from now on. Jobs that it has go on. */
  hold(): void {
    if (this.#byHold) return
    this.#byHold = true
    this.holdAgain()
  }

  /** A worker that did not run when it was to be held, and runs now. One that does not run is not paused: a resume starts it. */
  holdAgain(): void {
    if (!this.#worker.isPaused() && this.#worker.isRunning()) this.#ask(() => this.#pause(true))
  }

  release(): void {
    if (!this.#byHold) return
    this.#byHold = false
    if (!this.#byUser && this.#worker.isPaused()) this.#ask(() => this.#resume())
  }

  /** Gives the worker its own methods back. */
  end(): void {
    this.#watching = false
    for (const restore of this.#restores) restore()
  }

  #ask(change: () => void | Promise<void>): void {
    try {
      Promise.resolve(change()).catch(this.#failed)
    } catch (error) {
      this.#failed(error)
    }
  }
}

/** Puts back what an object itself has under this name, or nothing, so that its class is asked again. */
function restoring(worker: HeldWorker, name: 'pause' | 'resume'): () => void {
  const own = Object.getOwnPropertyDescriptor(worker, name)
  return () => {
    if (own === undefined) Reflect.deleteProperty(worker, name)
    else Object.defineProperty(worker, name, own)
  }
}
