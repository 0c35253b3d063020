import { EXIT } from '../failure.js'
import { hideSecrets } from '../../view/format.js'

/**
 * The life and the end of a started fleet. It runs until the first of: a signal, npm gone, standard output closed, or
 * `end()`. Then every step is undone, the last first, and `run` answers the exit code. After a second signal the process
 * ends at once: its children see their pipe close, and end by themselves.
 */
export class Lifetime {
  readonly #undo: (() => unknown)[] = []
  readonly #finished: Promise<void>
  #finish: () => void = () => undefined
  #failure: { readonly error: unknown } | undefined
  #ending = false
  #exitCode: number = EXIT.ok

  constructor() {
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  get ending(): boolean {
    return this.#ending
  }

  /** Calls `undo` at the end, or at once if the end has come already. */
  onEnd(undo: () => unknown): void {
    if (this.#ending) void attempt(undo)
    else this.#undo.push(undo)
  }

  end(exitCode: number = EXIT.ok): void {
    if (this.#ending) return
    this.#ending = true
    this.#exitCode = exitCode
    this.#finish()
  }

  /** Ends it with an error, which `run` throws. */
  fail(error: unknown): void {
    if (this.#ending) return
    this.#failure = { error }
    this.end(EXIT.failed)
  }

  /** Begins, waits for the end, undoes. A failure of `begin` ends it too, and is thrown on. */
  async run(begin: () => Promise<void>): Promise<number> {
    const stopWatching = this.#watch()
    try {
      // A partial beginning can be undone as well, so that the end does not wait for the beginning.
      await Promise.race([begin(), this.#finished])
      await this.#finished
    } finally {
      this.#ending = true
      for (const undo of this.#undo.reverse()) await attempt(undo)
      stopWatching()
    }
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#exitCode
  }

  #watch(): () => void {
    const onSignal = () => (this.#ending ? process.exit(EXIT.failed) : this.end())
    const onGone = () => this.end()
    for (const signal of SIGNALS) process.on(signal, onSignal)
    process.stdout.on('error', onGone) // the terminal was closed, or the pipe has no reader
    process.stderr.on('error', onGone)
    const npm = process.env['npm_lifecycle_event'] === undefined ? undefined : watchParent(onGone)
    return () => {
      for (const signal of SIGNALS) process.off(signal, onSignal)
      clearInterval(npm)
    }
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const PARENT_POLL_MS = 500

/** npm passes signals on, unless it was killed itself: then only the changed pid of the parent shows it. */
function watchParent(onGone: () => void): NodeJS.Timeout {
  const parent = process.ppid
  return setInterval(() => {
    if (process.ppid !== parent) onGone()
  }, PARENT_POLL_MS)
}

/** Runs one undo. Its failure must not keep the others from running. */
async function attempt(undo: () => unknown): Promise<void> {
  try {
    await undo()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`busbar: while stopping: ${hideSecrets(message)}\n`)
  }
}
