import type { WriteStream } from 'node:tty'
import type { ProviderEvent } from '../../index.js'
import { formatClock } from '../../view/format.js'
import { paintsFor } from '../../view/paint.js'
import { worstFirst } from '../../view/provider-list.js'
import type { ProviderView } from '../../view/provider-view.js'
import { drawFrame, ESC, HIDE_CURSOR, roomOn, SHOW_CURSOR } from '../terminal.js'
import type { FleetAddress } from '../url-file.js'
import { frameOf } from '../watch/frame.js'
import { ListState } from '../watch/list-state.js'
import type { Note } from '../watch/screen.js'
import { readyLine, type Reporter } from './reporter.js'

const RECENT_EVENTS = 8

/**
 * The frame of `busbar watch`, in place. Until `ready` it prints lines. From then on each frame is drawn over the last one:
 * the cursor goes up by the lines that the last frame had. Earlier output stays above.
 */
export class LiveReporter implements Reporter {
  readonly statusEveryMs = 500
  readonly #out: WriteStream
  readonly #paints
  readonly #recent: (ProviderEvent | Note)[] = []
  readonly #list = new ListState()
  #address: FleetAddress | undefined
  #views: readonly ProviderView[] = []
  #drawn = 0

  constructor(out: WriteStream) {
    this.#out = out
    this.#paints = paintsFor(out)
  }

  note(text: string): void {
    const at = Date.now()
    if (this.#address === undefined) this.#out.write(`${this.#paints.dim(formatClock(at))} ${text}\n`)
    else this.#remember({ at, text })
  }

  event(event: ProviderEvent): void {
    this.#remember(event)
  }

  status(views: readonly ProviderView[]): void {
    this.#views = worstFirst(views)
    this.#draw()
  }

  page(url: string): void {
    this.note(`page ${url}`)
  }

  ready(address: FleetAddress): void {
    this.#out.write(`${readyLine(address)}\n\n${HIDE_CURSOR}`)
    this.#address = address
    this.#draw()
  }

  close(): void {
    if (this.#address !== undefined) this.#out.write(`${SHOW_CURSOR}\n`)
    this.#address = undefined
  }

  #remember(line: ProviderEvent | Note): void {
    this.#recent.push(line)
    if (this.#recent.length > RECENT_EVENTS) this.#recent.shift()
    this.#draw()
  }

  #draw(): void {
    const [address, views] = [this.#address, this.#views]
    if (address === undefined || views.length === 0) return
    const scene = {
      views,
      unreadable: [],
      read: views.length,
      pausedQueues: [],
      groups: [],
      events: this.#recent,
      away: undefined,
    }
    const foot = `Ctrl-C ends it.  In a second terminal here: npx busbar explain ${views[0]?.snapshot.id ?? ''}`
    const options = { ...roomOn(this.#out), title: 'busbar start', address, paints: this.#paints, foot }
    this.#list.resized() // nothing else says when the terminal was
    const lines = frameOf(scene, this.#list, options)
    drawFrame(this.#out, this.#drawn > 1 ? `${ESC}${this.#drawn - 1}A\r` : '\r', lines)
    this.#drawn = lines.length
  }
}
