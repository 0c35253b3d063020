/** What a worker is told when it starts. */
export interface Job {
  readonly redis: string
  readonly namespace: string
  readonly workerId: string
  /** The provider, and the settings to register it with. */
  readonly id: string
  readonly settings?: object
  /** Further options of `connect`. */
  readonly options?: object
  /** Where its scripts come from: with the clock double, or mutated. */
  readonly source: object
  /** What only some kinds of workers understand. */
  readonly extra?: object
}

type Actions<A> = { [K in keyof A]: (...args: never[]) => unknown }

/** A worker that answers the actions `A`. */
export interface Worker<A extends Actions<A>> {
  readonly pid: number
  /** Settles when the process is gone, whoever ended it. */
  readonly exited: Promise<void>
  /** Rejects with the worker's error (its message and code), or when the worker ended. */
  ask<K extends keyof A>(action: K, ...args: Parameters<A[K]>): Promise<Awaited<ReturnType<A[K]>>>
  /** SIGKILL: it cleans up nothing. */
  kill(): Promise<void>
}

export function forkWorker<A extends Actions<A>>(
  name: string,
  job: Job,
  options?: { readonly execArgv?: readonly string[]; readonly env?: Readonly<Record<string, string>> },
): Promise<Worker<A>>
