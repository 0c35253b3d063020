import type { WriteStream } from 'node:tty'
import { formatClock, formatDuration, hideSecrets } from '../format.js'
import type { FleetAddress } from '../url-file.js'
import { eventLine } from '../view/event-line.js'
import { paintsFor } from '../view/paint.js'
import type { ProviderView } from '../view/provider-view.js'
import { statusTable } from '../view/status-table.js'
import type { Scene, Screen } from './screen.js'

const ESC = '\u001b['
const ENTER = `${ESC}?1049h${ESC}?25l`
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`
const HOME = `${ESC}H`
// A long line is cut at the edge: if it wrapped, it would push the last ones off the screen.
const WRAP_OFF = `${ESC}?7l`
const CLEAR_LINE_END = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

/**
 * The whole terminal, on its alternate screen: each frame is written over the last one, so that nothing flickers,
 * and what was there before comes back at the end, however the process ends short of SIGKILL.
 */
export class TerminalScreen implements Screen {
  readonly live = true
  readonly #out: WriteStream
  readonly #address: FleetAddress
  readonly #paints
  readonly #leave = () => this.close()
  readonly #redraw = () => {
    if (this.#scene !== undefined) this.draw(this.#scene)
  }
  #scene: Scene | undefined
  #entered = false

  constructor(out: WriteStream, address: FleetAddress) {
    this.#out = out
    this.#address = address
    this.#paints = paintsFor(out)
  }

  draw(scene: Scene): void {
    if (!this.#entered) this.#enter()
    this.#scene = scene
    const lines = this.#frame(scene).slice(0, this.#rows)
    const body = lines.map((line) => line + CLEAR_LINE_END).join('\r\n')
    this.#out.write(`${WRAP_OFF}${HOME}${body}${CLEAR_BELOW}`)
  }

  #enter(): void {
    this.#entered = true
    this.#out.write(ENTER)
    this.#out.on('resize', this.#redraw)
    process.on('exit', this.#leave) // a crash comes by here too
  }

  close(): void {
    if (!this.#entered) return
    this.#entered = false
    this.#scene = undefined
    this.#out.off('resize', this.#redraw)
    process.off('exit', this.#leave)
    this.#out.write(LEAVE)
  }

  /** A terminal that nobody sized says 0. */
  get #rows(): number {
    return this.#out.rows || USUAL_ROWS
  }

  #frame(scene: Scene): string[] {
    const { dim } = this.#paints
    const head = [this.#header(scene), this.#summary(scene), '']
    const foot = ['', dim('Ctrl-C ends it.  busbar explain <id> says why.')]
    const room = this.#rows - head.length - foot.length
    const table = this.#table(scene.views, room)
    const lately = this.#lately(scene, room - table.length)
    return [...head, ...table, ...lately, ...foot]
  }

  #header({ away }: Scene): string {
    const { bold, dim, red } = this.#paints
    const { redis, namespace } = this.#address
    const where = dim(`${hideSecrets(redis)}  namespace ${namespace}`)
    const line = `${bold('busbar watch')}  ${where}  ${dim(formatClock(Date.now()))}`
    if (away === undefined) return line
    const since = formatDuration(Math.floor((performance.now() - away.since) / 1_000) * 1_000)
    return `${line}  ${red(`✖ Redis does not answer for ${since}`)}`
  }

  #summary({ views, away }: Scene): string {
    const { green, yellow, red, dim } = this.#paints
    if (away !== undefined)
      return dim(`${away.why}; below is what was last seen, and it goes on when Redis answers`)
    const count = (name: string) => views.filter(({ snapshot }) => snapshot.health === name).length
    const [healthy, degraded] = [count('healthy'), count('degraded')]
    const down = views.length - healthy - degraded
    const some = (paint: (text: string) => string, n: number, word: string) =>
      (n === 0 ? dim : paint)(`${n} ${word}`)
    return [
      some(green, healthy, 'healthy'),
      some(yellow, degraded, 'degraded'),
      some(red, down, 'unhealthy'),
    ].join(dim('  '))
  }

  /** When not all fit, those that need a person come first. */
  #table(views: readonly ProviderView[], room: number): string[] {
    const { dim } = this.#paints
    if (views.length === 0) return [dim('No provider is registered in this namespace yet.')]
    const lines = this.#render(views)
    if (lines.length <= room) return lines
    const sorted = this.#render([...views].sort((a, b) => urgency(b) - urgency(a)))
    return [
      ...sorted.slice(0, Math.max(1, room - 1)),
      dim(`${views.length} providers; not all fit: busbar status`),
    ]
  }

  #render = (views: readonly ProviderView[]): string[] =>
    statusTable(views, this.#paints, this.#out.columns || USUAL_COLUMNS).split('\n')

  #lately({ events }: Scene, room: number): string[] {
    const shown = room < 3 ? [] : events.slice(-Math.min(room - 2, MAX_EVENTS))
    if (shown.length === 0) return []
    return ['', this.#paints.dim('LATELY'), ...shown.map((event) => eventLine(event, this.#paints))]
  }
}

const MAX_EVENTS = 10
const USUAL_COLUMNS = 80
const USUAL_ROWS = 24

const urgency = ({ snapshot: { health } }: ProviderView): number =>
  health === 'healthy' ? 0 : health === 'degraded' ? 1 : 2
