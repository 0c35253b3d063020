import type { ProviderEvent } from '../../index.js'
import { hideSecrets } from '../../view/format.js'
import type { FleetAddress } from '../url-file.js'
import { eventJson } from '../../view/event-line.js'
import { viewJson, type ProviderView } from '../../view/provider-view.js'
import type { Reporter } from './reporter.js'

/** One JSON object a line, told apart by `type`. */
export class JsonReporter implements Reporter {
  readonly statusEveryMs = 5_000

  note(text: string): void {
    this.#write({ type: 'note', at: Date.now(), text })
  }

  event(event: ProviderEvent): void {
    this.#write({ type: 'event', ...eventJson(event) })
  }

  status(views: readonly ProviderView[]): void {
    this.#write({ type: 'status', at: Date.now(), providers: views.map(viewJson) })
  }

  page(url: string): void {
    this.#write({ type: 'page', url })
  }

  ready({ redis, namespace }: FleetAddress): void {
    this.#write({ type: 'ready', redis: hideSecrets(redis), namespace })
  }

  close(): void {
    // Nothing is held open.
  }

  #write(value: object): void {
    process.stdout.write(`${JSON.stringify(value)}\n`)
  }
}
