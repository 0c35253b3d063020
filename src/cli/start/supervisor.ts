import { fork, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A program of ours that is to run for as long as we do. */
export interface Task {
  readonly name: string
  readonly file: URL
  /** Asked again at each start. */
  args(): readonly string[]
}

/** A task, the times at which its children ended in the last minute, and the callbacks for its first message. */
interface Life {
  readonly task: Task
  readonly ends: readonly number[]
  readonly resolve: (message: unknown) => void
  readonly reject: (error: Error) => void
}

const MAX_RESTARTS = 5
const RESTARTS_WITHIN_MS = 60_000
const RESTART_AFTER_MS = 500
/** How long a child may take to end in order after its pipe has closed, ms. */
const STOP_WITHIN_MS = 2_500

/**
 * Child processes, kept alive. One that ends unexpectedly is started again, at most `MAX_RESTARTS` times a minute.
 * The pipe between us is the leash: when it closes, because we stopped the child or were killed ourselves, it ends.
 */
export class Supervisor {
  readonly #running = new Set<ChildProcess>()
  readonly #note: (text: string) => void
  #stopping = false

  constructor(note: (text: string) => void) {
    this.#note = note
  }

  /** Starts a task; resolves with the first message that it sends, rejects when it keeps ending before that. */
  start(task: Task): Promise<unknown> {
    return new Promise((resolve, reject) => this.#spawn({ task, ends: [], resolve, reject }))
  }

  #spawn(life: Life): void {
    const { task, ends, resolve, reject } = life
    if (this.#stopping) return
    const child = fork(fileURLToPath(task.file), task.args(), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [], // a debugger's port, say, can only be taken once
    })
    this.#running.add(child)
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.#note(`${task.name}: ${line}`))
    }
    child.on('message', resolve)
    child.on('error', (error) => this.#note(`${task.name}: ${error.message}`))
    child.once('close', (code, signal) => {
      this.#running.delete(child)
      const how = `${task.name} (pid ${child.pid ?? '-'}) ended unexpectedly (${signal ?? `exit code ${code}`})`
      // Reported a little later: a signal to the whole group may reach the child before this process.
      setTimeout(() => this.#again({ task, ends, resolve, reject }, how), RESTART_AFTER_MS).unref()
    })
  }

  #again({ task, ends, resolve, reject }: Life, how: string): void {
    if (this.#stopping) return
    const now = performance.now()
    const recent = [...ends.filter((end) => now - end < RESTARTS_WITHIN_MS), now]
    if (recent.length > MAX_RESTARTS) {
      this.#note(`${how}, too often: it is not started again`)
      reject(new Error(`${task.name} keeps ending`))
      return
    }
    this.#note(`${how}, starting it again`)
    this.#spawn({ task, ends: recent, resolve, reject })
  }

  /** Ends all children in order; those that do not end in time are killed. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#running].map(stopChild))
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  if (child.connected) child.disconnect()
  await ended
  clearTimeout(killer)
}
