import { emitKeypressEvents, type Key as RawKey } from 'node:readline'
import type { ReadStream } from 'node:tty'

export interface Key {
  /** `up`, `pagedown`, `escape`, `ctrl-c`, ...; empty for a letter. */
  readonly name: string
  /** The letter, or the text that was pasted; empty for a key without one. */
  readonly text: string
}

const NAMES: Readonly<Record<string, string>> = { return: 'enter' }
const NAMED = ['up', 'down', 'pageup', 'pagedown', 'home', 'end', 'escape', 'backspace', 'enter', 'ctrl-c']

/**
 * Reads single keys from a terminal. In raw mode the terminal sends no signals: Ctrl-C comes as a key. Ctrl-Z is handled
 * here, so that the shell finds its terminal as it was.
 */
export class Keyboard {
  readonly #input: ReadStream
  readonly #press: (key: Key) => void
  readonly #suspend: { readonly leave: () => void; readonly enter: () => void }
  readonly #onKey = (text: string | undefined, key: RawKey) => this.#read(text ?? '', key)
  readonly #onContinue = () => {
    this.#input.setRawMode(true)
    this.#suspend.enter()
  }

  constructor(
    input: ReadStream,
    press: (key: Key) => void,
    suspend: { leave: () => void; enter: () => void },
  ) {
    this.#input = input
    this.#press = press
    this.#suspend = suspend
  }

  open(): void {
    emitKeypressEvents(this.#input)
    this.#input.setRawMode(true)
    this.#input.on('keypress', this.#onKey)
    process.on('SIGCONT', this.#onContinue)
    this.#input.resume()
  }

  close(): void {
    this.#input.off('keypress', this.#onKey)
    process.off('SIGCONT', this.#onContinue)
    this.#input.setRawMode(false)
    this.#input.pause()
  }

  #read(text: string, { name: raw = '', ctrl, meta }: RawKey): void {
    const name = ctrl === true ? `ctrl-${raw}` : (NAMES[raw] ?? raw)
    const named = NAMED.includes(name)
    if (name === 'ctrl-z') this.#stop()
    else if (named) this.#press({ name, text: '' })
    else if (ctrl !== true && meta !== true) this.#press({ name: '', text })
  }

  /** To the background, as the terminal does it by itself where it is not in raw mode. */
  #stop(): void {
    this.#suspend.leave()
    this.#input.setRawMode(false)
    process.kill(process.pid, 'SIGTSTP')
  }
}
