import { writeLine } from '../common.js'
import { formatClock } from '../format.js'
import { paintsFor } from '../view/paint.js'
import { statusTable } from '../view/status-table.js'
import type { Scene, Screen } from './screen.js'

const COLUMNS = 120

/** A table per change, one below the other: for files and pipes. */
export class PlainScreen implements Screen {
  readonly live = false
  readonly #paints = paintsFor(process.stdout)
  #away = false

  draw({ views, away }: Scene): void {
    const now = formatClock(Date.now())
    if (away !== undefined) writeLine(`${now} Redis does not answer (${away.why}); waiting for it`)
    else {
      const back = this.#away ? ' Redis answers again' : ''
      const table =
        views.length === 0 ? 'no provider is registered' : statusTable(views, this.#paints, COLUMNS)
      writeLine(`${now}${back}\n${table}\n`)
    }
    this.#away = away !== undefined
  }

  close(): void {
    // Nothing is held open.
  }
}
