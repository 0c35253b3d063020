import { writeLine } from '../common.js'
import { formatClock } from '../../view/format.js'
import { paintsFor } from '../../view/paint.js'
import { pausedText } from '../../view/paused.js'
import { statusTable } from '../../view/status-table.js'
import type { Scene, Screen } from './screen.js'

/** A table per change, one below the other: for files and pipes. */
export class PlainScreen implements Screen {
  readonly live = false
  readonly #paints = paintsFor(process.stdout)
  #away = false

  draw({ views, read, pausedQueues, away }: Scene): void {
    const now = formatClock(Date.now())
    if (away !== undefined) writeLine(`${now} Redis does not answer (${away.why}); waiting for it`)
    else {
      const back = this.#away ? ' Redis answers again' : ''
      const none = read === 0 ? 'no provider is registered' : 'all providers are healthy'
      const table = views.length === 0 ? none : statusTable(views, this.#paints)
      const paused = pausedText(pausedQueues)
      writeLine(`${now}${back}\n${table}\n${paused === '' ? '' : `${paused}\n`}`)
    }
    this.#away = away !== undefined
  }

  close(): void {
    // Nothing is held open.
  }
}
