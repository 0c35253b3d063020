import { writeLine } from '../common.js'
import type { FleetAddress } from '../url-file.js'
import { viewJson } from '../../view/provider-view.js'
import type { Scene, Screen } from './screen.js'

/** One object a line and change: the providers, or why Redis could not be read. */
export class JsonScreen implements Screen {
  readonly live = false
  readonly #namespace: string

  constructor({ namespace }: FleetAddress) {
    this.#namespace = namespace
  }

  draw({ views, unreadable, pausedQueues, groups, away }: Scene): void {
    const head = { at: Date.now(), namespace: this.#namespace }
    const body =
      away === undefined
        ? { providers: views.map(viewJson), unreadable, pausedProbeQueues: pausedQueues, groups }
        : { error: { code: 'redis_unavailable', message: away.why } }
    writeLine(JSON.stringify({ ...head, ...body }))
  }

  close(): void {
    // Nothing is held open.
  }
}
