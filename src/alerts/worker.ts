import type { BusbarCore } from '../client/busbar-core.js'
import type { CheckedAlertOptions } from '../config/alerts.js'
import type { AlertWorker } from '../model/alerts.js'
import type { HookStore } from '../model/ports/hook-store.js'
import type { Timer } from '../model/ports/time.js'
import { disconnect, startOrClose, type QueueConnection } from '../probes/queue-closing.js'
import { destinationOf } from './destination.js'
import { HookRunner } from './hook-runner.js'

/** How this process reaches what its fleet shares. */
export interface AlertAccess {
  readonly hooks: HookStore
  readonly namespace: string
  readonly openConnection: (name: string) => QueueConnection
}

/** One process of the fleet looks at all providers so often, ms. */
const SWEEP_MS = 600_000

/**
 * Makes this process one of those that send the fleet's alerts.
 * @throws ArgumentError, RedisUnavailableError
 */
export async function startAlertWorker(
  busbar: BusbarCore,
  access: AlertAccess,
  options: CheckedAlertOptions,
): Promise<AlertWorker> {
  const { groupMs, retryMs } = options
  const hooks = [...options.hooks].map(([name, hook]) => ({
    ...{ name, hook, groupMs, retryMs },
    destination: destinationOf(name, hook),
  }))
  const connection = access.openConnection('alerts')
  const shared = { busbar, connection, store: access.hooks, namespace: access.namespace }
  const worker = new Worker(
    busbar,
    connection,
    hooks.map((hook) => new HookRunner({ ...shared, ...hook })),
  )
  return startOrClose(worker)
}

/** All hooks of one process. */
class Worker implements AlertWorker {
  readonly #busbar: BusbarCore
  readonly #connection: QueueConnection
  readonly #runners: readonly HookRunner[]
  #unwatch: (() => void) | undefined
  #sweeping: Timer | undefined
  #closing: Promise<void> | undefined

  constructor(busbar: BusbarCore, connection: QueueConnection, runners: readonly HookRunner[]) {
    this.#busbar = busbar
    this.#connection = connection
    this.#runners = runners
  }

  async start(): Promise<void> {
    const { timers } = this.#busbar.context
    // Before the first look at what is in the streams: nothing falls between the two.
    this.#unwatch = this.#busbar.watch((change) => {
      for (const runner of this.#runners) {
        if (change === 'gap') runner.hearGap()
        else runner.hear(change)
      }
    })
    await Promise.all(this.#runners.map((runner) => runner.start()))
    const sweep = () => {
      for (const runner of this.#runners) runner.sweepNowAndThen(SWEEP_MS)
    }
    this.#sweeping = timers.every(SWEEP_MS, sweep).unref()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#unwatch?.()
    this.#sweeping?.clear()
    await Promise.all(this.#runners.map((runner) => runner.close()))
    disconnect(this.#connection)
  }
}
