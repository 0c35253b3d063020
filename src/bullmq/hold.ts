import { Provider, providerCoreOf } from '../client/provider.js'
import type { ProviderCore } from '../client/provider-core.js'
import type { Outlook } from '../client/admission/outlook.js'
import { TURN_MS } from '../client/admission/readiness.js'
import type { Timer } from '../model/ports/time.js'
import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import { fieldsOf, startLimitOf } from './job.js'
import { WorkerPause, type HeldWorker } from './worker-pause.js'

/** Workers that a hold has now: two would undo each other's pauses. */
const held = new WeakSet<HeldWorker>()

/**
 * Pauses this worker of BullMQ (5.73.5 or later) while all its providers refuse, and resumes it within milliseconds of the change;
 * while the best of them is half-open it takes one job at a time. Only this worker is paused, never the queue, so that
 * nothing is left paused when the process dies; and only what the hold paused is resumed. It lets go when it is disposed of, when
 * the worker closes or emits an error, and while Busbar cannot know.
 * @throws ArgumentError naming what makes no sense, such as a worker with `maxStartedAttempts`
 */
export function holdWhileOpen(worker: HeldWorker, providers: readonly Provider[]): Disposable {
  checkWorker(worker)
  return new Hold(worker, coresOf(providers))
}

const METHODS = ['on', 'off', 'pause', 'resume', 'isPaused', 'isRunning'] as const

function checkWorker(worker: HeldWorker): void {
  const found = fieldsOf(worker)
  const missing = METHODS.find((method) => typeof found[method] !== 'function')
  if (missing !== undefined) {
    const expected = `expected a worker of BullMQ 5.73.5 or later, got ${show(found['name'] ?? worker)}`
    throw new ArgumentError('worker', `worker: ${expected} (no ${missing})`)
  }
  const limit = startLimitOf(worker)
  if (limit > 0) {
    const path = 'worker.opts.maxStartedAttempts'
    const why = 'BullMQ counts deferrals as starts, and fails a job that was deferred often'
    throw new ArgumentError(path, `${path}: expected none, got ${limit}: ${why}`)
  }
  if (held.has(worker)) {
    throw new ArgumentError('worker', `worker: ${worker.name} is held already; dispose of that hold first`)
  }
}

function coresOf(providers: readonly Provider[]): readonly ProviderCore[] {
  if (!Array.isArray(providers) || providers.length === 0) {
    throw new ArgumentError('providers', `providers: expected a list of providers, got ${show(providers)}`)
  }
  return providers.map((provider: unknown, i) => {
    if (provider instanceof Provider) return providerCoreOf(provider)
    throw new ArgumentError(`providers.${i}`, `providers.${i}: expected a provider, got ${show(provider)}`)
  })
}

/**
 * The hold of one worker. It looks at its providers whenever one of them changes, and decides by the best outlook among them.
 *
 * - `free`    a provider admits calls, or Busbar cannot know: the worker runs, as far as the hold is concerned.
 * - `held`    all refuse, or a job was let through in half-open a moment ago: the hold has the worker paused.
 * - `trying`  half-open: the worker runs until it has taken one job, and is held again at once.
 *
 *     free -> held <-> trying, held -> free, trying -> free, any -> ended (disposed of, or the worker closes)
 *
 * The next job of half-open follows when a provider has news, or after `TURN_MS`: a trial that is under way is such news, so
 * the worker is held until it ends. After an error of the worker it is free until a provider has news, or for `TURN_MS`. Only `#setMode`
 * moves between them.
 */
class Hold implements Disposable {
  readonly #worker: HeldWorker
  readonly #cores: readonly ProviderCore[]
  readonly #pause: WorkerPause
  #mode: 'free' | 'held' | 'trying' | 'ended' = 'free'
  /** What the providers were like when a job was let through in half-open, and until when none is to follow. */
  #turn = { seen: '', until: 0 }
  #timer: Timer | undefined
  /** What the providers were like when an error made the hold let go, and until when it does. */
  #letGoAt = { seen: '', until: 0 }
  readonly #ends: (() => void)[] = []

  constructor(worker: HeldWorker, cores: readonly ProviderCore[]) {
    this.#worker = worker
    this.#cores = cores
    this.#pause = new WorkerPause(worker, (error) => this.#onFailure(error))
    held.add(worker)
    this.#listen('active', () => this.#onActive())
    this.#listen('closing', () => this.#end())
    this.#listen('error', () => this.#letGo())
    for (const core of cores) this.#ends.push(core.readiness.watch(() => this.#decide()))
    this.#decide()
  }

  [Symbol.dispose](): void {
    if (this.#mode === 'ended') return
    this.#setMode('free')
    this.#end()
  }

  #listen(event: 'active' | 'closing' | 'error', listener: () => void): void {
    this.#worker.on(event, listener)
    this.#ends.push(() => this.#worker.off(event, listener))
  }

  /** Of a worker that closes nothing is resumed. */
  #end(): void {
    if (this.#mode === 'ended') return
    this.#mode = 'ended'
    this.#timer?.clear()
    for (const end of this.#ends.splice(0)) end()
    this.#pause.end()
    held.delete(this.#worker)
  }

  #decide(): void {
    if (this.#mode === 'ended') return
    try {
      const seen = this.#seen()
      if (this.#letGoAt.seen === seen && this.#letGoAt.until > this.#now()) return
      this.#setMode(this.#next(seen))
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #next(seen: string): 'free' | 'held' | 'trying' {
    const outlooks = this.#cores.map(outlookOf)
    if (outlooks.some(({ can, known }) => can === 'begin' || !known)) return 'free'
    if (outlooks.every(({ can }) => can === 'wait')) return 'held'
    if (this.#mode === 'trying') return 'trying'
    const leftMs = this.#turn.seen === seen ? this.#turn.until - this.#now() : 0
    if (leftMs <= 0) return 'trying'
    this.#decideIn(leftMs)
    return 'held'
  }

  #setMode(mode: 'free' | 'held' | 'trying'): void {
    this.#mode = mode
    if (mode === 'held') this.#pause.hold()
    else this.#pause.release()
  }

  /** In half-open one job was taken: no other, until something is known of it. */
  #onActive(): void {
    if (this.#mode === 'held') this.#pause.holdAgain()
    if (this.#mode !== 'trying') return
    this.#turn = { seen: this.#seen(), until: this.#now() + TURN_MS }
    this.#setMode('held')
    this.#decideIn(TURN_MS)
  }

  #decideIn(ms: number): void {
    this.#timer?.clear()
    this.#timer = this.#cores[0]?.context.timers.set(ms, () => this.#decide()).unref()
  }

  #letGo(): void {
    if (this.#mode === 'ended') return
    this.#letGoAt = { seen: this.#seen(), until: this.#now() + TURN_MS }
    this.#setMode('free')
    this.#decideIn(TURN_MS)
  }

  /** A worker that is not resumed would stand still for good: whatever goes wrong, it is let go. */
  #onFailure(error: unknown): void {
    const core = this.#cores[0]
    if (core !== undefined) core.context.counters.callbacksFailed += 1
    core?.context.log.error(
      { err: error, queue: this.#worker.name },
      'a worker could not be held: it is let go',
    )
    if (this.#mode !== 'free') this.#letGo()
  }

  /** Changes with each news of a provider, and when time alone changes its outlook. */
  #seen(): string {
    return this.#cores.map((core) => `${core.readiness.version}:${outlookOf(core).can}`).join()
  }

  #now(): number {
    return this.#cores[0]?.context.clock.now() ?? 0
  }
}

/** Of a provider that was removed, or a busbar that was closed, nothing is known. */
const outlookOf = ({ readiness }: ProviderCore): Outlook =>
  readiness.ended === undefined ? readiness.look() : { can: 'begin', known: false }
