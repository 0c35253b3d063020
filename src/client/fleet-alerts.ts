import { checkAlerts, type CheckedAlertOptions } from '../config/alerts.js'
import type { AlertOptions, AlertWorker } from '../model/alerts.js'
import type { BusbarCore } from './busbar-core.js'

/** The code that sends alerts; loaded on demand, as it loads bullmq. */
export interface AlertParts {
  startAlerts(core: BusbarCore, options: CheckedAlertOptions): Promise<AlertWorker>
}

/** One process's part in the fleet's alerts: what the method of `Busbar` does, and its checks. */
export class FleetAlerts {
  readonly #core: BusbarCore
  readonly #parts: AlertParts
  /** Those that this process started. */
  readonly workers = new Set<AlertWorker>()

  constructor(core: BusbarCore, parts: AlertParts) {
    this.#core = core
    this.#parts = parts
  }

  async start(given: AlertOptions): Promise<AlertWorker> {
    this.#core.assertOpen()
    const worker = await this.#parts.startAlerts(this.#core, checkAlerts(given))
    this.workers.add(worker)
    return worker
  }
}
