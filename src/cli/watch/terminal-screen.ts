import type { ReadStream, WriteStream } from 'node:tty'
import type { FleetAddress } from '../url-file.js'
import { paintsFor } from '../../view/paint.js'
import { cutEnd } from '../../view/text-width.js'
import { frameOf } from './frame.js'
import { Keyboard } from './keyboard.js'
import { ListState } from './list-state.js'
import type { Scene, Screen } from './screen.js'

const ESC = '\u001b['
const ENTER = `${ESC}?1049h${ESC}?25l`
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`
const HOME = `${ESC}H`
// Lines are cut to fit, and wrapping is off, because a terminal may count cells in another way.
const WRAP_OFF = `${ESC}?7l`
const CLEAR_LINE_END = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

export interface TerminalScreenOptions {
  readonly out: WriteStream
  /** Where keys come from; none where standard input is no terminal. */
  readonly input: ReadStream | undefined
  readonly address: FleetAddress
  readonly onQuit: () => void
}

/**
 * The whole terminal, on its alternate screen. Each frame is written over the last one, so that nothing flickers. The
 * earlier content comes back at the end, unless the process is ended by SIGKILL.
 */
export class TerminalScreen implements Screen {
  readonly live = true
  readonly #options: TerminalScreenOptions
  readonly #paints
  readonly #list = new ListState()
  readonly #keyboard: Keyboard | undefined
  readonly #leave = () => this.close()
  readonly #redraw = () => {
    if (this.#scene !== undefined) this.draw(this.#scene)
  }
  readonly #resized = () => {
    this.#list.resized()
    this.#redraw()
  }
  #scene: Scene | undefined
  #entered = false

  constructor(options: TerminalScreenOptions) {
    const { out, input, onQuit } = options
    this.#options = options
    this.#paints = paintsFor(out)
    if (input === undefined) return
    const suspend = {
      leave: () => out.write(LEAVE),
      enter: () => {
        out.write(ENTER)
        this.#redraw()
      },
    }
    const press: ConstructorParameters<typeof Keyboard>[1] = (key) => {
      const effect = this.#list.press(key)
      if (effect === 'quit') onQuit()
      if (effect === 'redraw') this.#redraw()
    }
    this.#keyboard = new Keyboard(input, press, suspend)
  }

  draw(scene: Scene): void {
    if (!this.#entered) this.#enter()
    this.#scene = scene
    const { out, address } = this.#options
    // One column stays free: clearing the rest of a line would erase a letter in the last column.
    const columns = (out.columns || USUAL_COLUMNS) - 1 // a terminal without a size reports 0
    const rows = out.rows || USUAL_ROWS
    const keys = this.#keyboard !== undefined
    const lines = frameOf(scene, this.#list, { address, paints: this.#paints, columns, rows, keys })
    const body = lines.map((line) => cutEnd(line, columns) + CLEAR_LINE_END).join('\r\n')
    out.write(`${WRAP_OFF}${HOME}${body}${CLEAR_BELOW}`)
  }

  #enter(): void {
    this.#entered = true
    this.#options.out.write(ENTER)
    this.#options.out.on('resize', this.#resized)
    this.#keyboard?.open()
    process.on('exit', this.#leave) // runs at a crash too
  }

  close(): void {
    if (!this.#entered) return
    this.#entered = false
    this.#scene = undefined
    this.#options.out.off('resize', this.#resized)
    process.off('exit', this.#leave)
    this.#keyboard?.close()
    this.#options.out.write(LEAVE)
  }
}

const USUAL_COLUMNS = 80
const USUAL_ROWS = 24
