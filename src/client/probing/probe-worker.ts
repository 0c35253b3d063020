import type { ProbeFunction, ProcessSource } from '../../model/probe.js'

/** A process that runs probes; see `busbar.startProbes()`. */
export interface ProbeWorker extends AsyncDisposable {
  /** Lets the probes under way end, and stops. */
  close(): Promise<void>
}

export interface ProbeWorkerOptions {
  /** Probes that this process runs at once. 1 to 1 000, default 16. */
  readonly concurrency?: number
  /**
   * Processes of this host, and commands, by the name under which probes of kind `process` ask for them: `{ pid }` (a
   * `ChildProcess` is one), `{ command: [file, ...args] }`, or a function that answers one of them at each probe. Nothing
   * but this can make a worker run a command. Default none; with `functions` 32 names a process at most.
   */
  readonly processes?: Readonly<Record<string, ProcessSource>>
  /** Checks in this worker's own code, by the name under which probes of kind `function` ask for them. Default none. */
  readonly functions?: Readonly<Record<string, ProbeFunction>>
}

/** The same, checked. */
export interface CheckedProbeWorkerOptions extends RegisteredChecks {
  readonly concurrency: number
}

/** Checks that are code, by name. */
export interface RegisteredChecks {
  readonly processes: ReadonlyMap<string, ProcessSource>
  readonly functions: ReadonlyMap<string, ProbeFunction>
}
