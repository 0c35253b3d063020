import type { WriteStream } from 'node:tty'
import type { ProviderEvent } from '../../index.js'
import { formatClock, formatDuration, hideSecrets } from '../format.js'
import type { FleetAddress } from '../url-file.js'
import { eventLine } from '../view/event-line.js'
import { paintsFor } from '../view/paint.js'
import type { ProviderView } from '../view/provider-view.js'
import { statusTable } from '../view/status-table.js'
import { readyLine, type Reporter } from './reporter.js'

const ESC = '\u001b['
const HIDE_CURSOR = `${ESC}?25l`
const SHOW_CURSOR = `${ESC}?25h`
// While we draw, a long line is cut at the edge: if it wrapped, the next frame would not know how far to go up.
const WRAP_OFF = `${ESC}?7l`
const WRAP_ON = `${ESC}?7h`
const CLEAR_LINE_END = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

const RECENT_EVENTS = 8

/**
 * A view that stays in place. Until `ready` it prints lines; from then on each frame is drawn over the last one:
 * the cursor goes up by the lines that the last frame had. What was printed before stays above.
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
    this.#remember(eventLine(event, this.#paints))
  }

  status(views: readonly ProviderView[]): void {
    this.#views = views
    this.#draw()
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
    const lines = this.#frame(this.#address).slice(0, Math.max(1, this.#out.rows - 1))
    const up = this.#drawn === 0 ? '\r' : `${ESC}${this.#drawn}A\r`
    const body = lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')
    this.#out.write(`${WRAP_OFF}${up}${body}${CLEAR_BELOW}${WRAP_ON}`)
    this.#drawn = lines.length
  }

  #frame({ redis, namespace }: FleetAddress): string[] {
    const { bold, dim } = this.#paints
    const up = formatDuration(Math.floor((performance.now() - this.#began) / 1_000) * 1_000)
    const some = this.#views.find(({ snapshot }) => snapshot.state !== 'closed') ?? this.#views[0]
    return [
      `${bold('busbar')} ${dim(`${hideSecrets(redis)}  namespace ${namespace}  up ${up}`)}`,
      '',
      ...statusTable(this.#views, this.#paints, this.#out.columns).split('\n'),
      '',
      ...(this.#recent.length === 0 ? [] : [dim('LATELY'), ...this.#recent, '']),
      dim(`In a second terminal, in this folder: npx busbar explain ${some?.snapshot.id ?? ''}`),
      dim('Ctrl-C ends it.'),
    ]
  }
}
