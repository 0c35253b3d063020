import { EXIT } from '../failure.js'
import { hideSecrets } from '../../view/format.js'

/**
 * The orderly end of a command that runs until it is stopped. The shutdown begins with the first of: a signal, npm gone,
 * standard output closed, or `begin()`. Then every step is undone, the last first, and `run` answers the exit code. After
 * a second signal the process ends at once: its children see their pipe close, and end by themselves.
 */
export class Shutdown {
  readonly #undo: (() => unknown)[] = []
  readonly #finished: Promise<void>
  #finish: () => void = () => undefined
  #failure: { readonly error: unknown } | undefined
  #begun = false
  #exitCode: number = EXIT.ok

  constructor() {
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  get begun(): boolean {
    return this.#begun
  }

  /** Calls `undo` during the shutdown, or at once if that has begun already. */
  onEnd(undo: () => unknown): void {
    if (this.#begun) void attempt(undo)
    else this.#undo.push(undo)
  }

  /** Begins the shutdown. Later calls change nothing. */
  begin(exitCode: number = EXIT.ok): void {
    if (this.#begun) return
    this.#begun = true
    this.#exitCode = exitCode
    this.#finish()
  }

  /** Begins the shutdown with an error, which `run` throws. */
  fail(error: unknown): void {
    if (this.#begun) return
    this.#failure = { error }
    this.begin(EXIT.failed)
  }

  /** Starts the command, waits for the shutdown, undoes. A failure of `start` is thrown on, after all was undone. */
  async run(start: () => Promise<void>): Promise<number> {
    const stopWatching = this.#watch()
    try {
      // A partial start can be undone as well, so a shutdown does not wait for the rest of the start.
      await Promise.race([start(), this.#finished])
      await this.#finished
    } finally {
      this.#begun = true
      for (const undo of this.#undo.reverse()) await attempt(undo)
      stopWatching()
    }
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#exitCode
  }

  #watch(): () => void {
    const onSignal = () => (this.#begun ? process.exit(EXIT.failed) : this.begin())
    const onGone = () => this.begin()
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
