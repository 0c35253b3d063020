import type { ReadStream, WriteStream } from 'node:tty'
import type { FleetAddress } from '../url-file.js'
import { paintsFor } from '../../view/paint.js'
import { drawFrame, ESC, HIDE_CURSOR, roomOn, SHOW_CURSOR, WRAP_ON } from '../terminal.js'
import { frameOf } from './frame.js'
import { Keyboard } from './keyboard.js'
import { ListState } from './list-state.js'
import type { Scene, Screen } from './screen.js'

const ENTER = `${ESC}?1049h${HIDE_CURSOR}`
const LEAVE = `${WRAP_ON}${SHOW_CURSOR}${ESC}?1049l`
const HOME = `${ESC}H`
const NO_KEYS = 'Ctrl-C ends it.  busbar explain <id> says why.'

export interface TerminalScreenOptions {
  readonly out: WriteStream
  /** Where keys come from; none where standard input is no terminal. */
  readonly input: ReadStream | undefined
  readonly address: FleetAddress
  readonly onQuit: () => void
}

/**
 * The whole terminal, on its alternate screen. The earlier content comes back at the end, unless the process is ended by SIGKILL.
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
    const foot = this.#keyboard === undefined ? NO_KEYS : undefined
    const options = { ...roomOn(out), title: 'busbar watch', address, paints: this.#paints, foot }
    drawFrame(out, HOME, frameOf(scene, this.#list, options))
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
