import type { WriteStream } from 'node:tty'
import type { ProviderEvent } from '../../index.js'
import { formatClock, formatDuration, hideSecrets } from '../../view/format.js'
import type { FleetAddress } from '../url-file.js'
import { eventLine, idWidthFor } from '../../view/event-line.js'
import { paintsFor } from '../../view/paint.js'
import type { ProviderView } from '../../view/provider-view.js'
import { windowOf, worstFirst } from '../../view/provider-list.js'
import { statusRows } from '../../view/status-table.js'
import { cutEnd } from '../../view/text-width.js'
import { readyLine, type Reporter } from './reporter.js'

const ESC = '\u001b['
const HIDE_CURSOR = `${ESC}?25l`
const SHOW_CURSOR = `${ESC}?25h`
// Lines are cut to fit, and wrapping is off: after a wrapped line the next frame would begin too low.
const WRAP_OFF = `${ESC}?7l`
const WRAP_ON = `${ESC}?7h`
const CLEAR_LINE_END = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

const RECENT_EVENTS = 8

/**
 * A view that stays in place. Until `ready` it prints lines. From then on each frame is drawn over the last one: the
 * cursor goes up by the lines that the last frame had. Earlier output stays above.
 */
export class LiveReporter implements Reporter {
  readonly statusEveryMs = 500
  readonly #out: WriteStream
  readonly #paints
  readonly #recent: string[] = []
  readonly #began = performance.now()
  #address: FleetAddress | undefined
  #views: readonly ProviderView[] = []
  #drawn = 0

  constructor(out: WriteStream) {
    this.#out = out
    this.#paints = paintsFor(out)
  }

  note(text: string): void {
    const line = `${this.#paints.dim(formatClock(Date.now()))} ${text}`
    if (this.#address === undefined) this.#out.write(`${line}\n`)
    else this.#remember(line)
  }

  event(event: ProviderEvent): void {
    this.#remember(eventLine(event, this.#paints, idWidthFor(this.#out.columns || USUAL_COLUMNS)))
  }

  status(views: readonly ProviderView[]): void {
    this.#views = views
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

  #remember(line: string): void {
    this.#recent.push(line)
    if (this.#recent.length > RECENT_EVENTS) this.#recent.shift()
    this.#draw()
  }

  #draw(): void {
    if (this.#address === undefined || this.#views.length === 0) return
    // One column stays free: clearing the rest of a line would erase a letter in the last column.
    const columns = (this.#out.columns || USUAL_COLUMNS) - 1 // a terminal without a size reports 0
    const rows = (this.#out.rows || USUAL_ROWS) - 1
    const lines = this.#frame(this.#address, { columns, rows }).slice(0, Math.max(1, rows))
    const up = this.#drawn === 0 ? '\r' : `${ESC}${this.#drawn}A\r`
    const body = lines.map((line) => `${cutEnd(line, columns)}${CLEAR_LINE_END}\n`).join('')
    this.#out.write(`${WRAP_OFF}${up}${body}${CLEAR_BELOW}${WRAP_ON}`)
    this.#drawn = lines.length
  }

  #frame({ redis, namespace }: FleetAddress, size: { columns: number; rows: number }): string[] {
    const { bold, dim } = this.#paints
    const up = formatDuration(Math.floor((performance.now() - this.#began) / 1_000) * 1_000)
    const some = this.#views.find(({ snapshot }) => snapshot.state !== 'closed') ?? this.#views[0]
    const head = [`${bold('busbar')} ${dim(`${hideSecrets(redis)}  namespace ${namespace}  up ${up}`)}`, '']
    const foot = [
      '',
      ...(this.#recent.length === 0 ? [] : [dim('EVENTS'), ...this.#recent, '']),
      dim(`In a second terminal, in this folder: npx busbar explain ${some?.snapshot.id ?? ''}`),
      dim('Ctrl-C ends it.'),
    ]
    const room = Math.max(MIN_TABLE, size.rows - head.length - foot.length)
    return [...head, ...this.#table(room, size.columns), ...foot]
  }

  /** In the order of the file; the worst first where not all fit. */
  #table(room: number, columns: number): string[] {
    const options = { columns, reasonLines: 2 }
    const { head, rows } = statusRows(this.#views, this.#paints, options)
    if (rows.flat().length + 1 <= room) return [head, ...rows.flat()]
    const { rows: sorted } = statusRows(worstFirst(this.#views), this.#paints, options)
    const { lines, below } = windowOf(sorted, 0, room - 2)
    return [head, ...lines, this.#paints.dim(`${below} more: npx busbar watch`)]
  }
}

const USUAL_COLUMNS = 80
const USUAL_ROWS = 24
const MIN_TABLE = 4
