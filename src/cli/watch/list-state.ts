import { finderOf } from '../../view/provider-list.js'
import type { Key } from './keyboard.js'

/** The effect of a key: none, a new frame, or the end. */
export type Effect = 'none' | 'redraw' | 'quit'

/** The last frame. */
export interface Shown {
  readonly first: number
  readonly count: number
  readonly widths: readonly number[]
}

/**
 * Where a person is in the list: the first provider on the screen, and what was typed to filter by.
 *
 * Modes: looking (keys move) -> `/` -> typing (keys are text) -> Enter keeps the filter, Escape clears it -> looking.
 */
export class ListState {
  #first = 0
  #filter = ''
  #typing = false
  /** Number of providers in the last frame, which is the length of a page. */
  #page = 1
  #widths: readonly number[] = []

  get filter(): string {
    return this.#filter
  }

  get typing(): boolean {
    return this.#typing
  }

  get first(): number {
    return this.#first
  }

  /** Widths of the columns since the filter or the screen changed. */
  get widths(): readonly number[] {
    return this.#widths
  }

  resized(): void {
    this.#widths = []
  }

  accepts(id: string): boolean {
    return this.#filter === '' || finderOf(this.#filter)(id)
  }

  /** Takes over the part that the screen could show: the list may have become shorter. */
  shown({ first, count, widths }: Shown): void {
    this.#first = first
    this.#widths = widths
    this.#page = Math.max(1, count)
  }

  press(key: Key): Effect {
    if (key.name === 'ctrl-c') return 'quit'
    return this.#typing ? this.#type(key) : this.#move(key)
  }

  #type({ name, text }: Key): Effect {
    if (name === 'enter') this.#typing = false
    else if (name === 'escape') this.#setFilter('', false)
    else if (name === 'backspace') this.#setFilter(this.#filter.slice(0, -1), true)
    else if (ID_LETTERS.test(text)) this.#setFilter(this.#filter + text, true)
    else return 'none'
    return 'redraw'
  }

  #setFilter(filter: string, typing: boolean): void {
    this.#filter = filter.slice(0, MAX_FILTER)
    this.#typing = typing
    this.#first = 0
    this.#widths = []
  }

  #move({ name, text }: Key): Effect {
    if (text === 'q') return 'quit'
    if (text === '/') this.#typing = true
    else if (name === 'escape') this.#setFilter('', false)
    else {
      const step = STEPS[name] ?? STEPS[text]
      if (step === undefined) return 'none'
      this.#first = Math.max(0, step(this.#first, this.#page))
    }
    return 'redraw'
  }
}

const MAX_FILTER = 128
/** The letters of ids, and the two of patterns. */
const ID_LETTERS = /^[A-Za-z0-9._:/@*?-]+$/

const STEPS: Readonly<Record<string, (first: number, page: number) => number>> = {
  up: (first) => first - 1,
  k: (first) => first - 1,
  down: (first) => first + 1,
  j: (first) => first + 1,
  pageup: (first, page) => first - page,
  pagedown: (first, page) => first + page,
  ' ': (first, page) => first + page,
  home: () => 0,
  g: () => 0,
  end: () => Number.MAX_SAFE_INTEGER,
  G: () => Number.MAX_SAFE_INTEGER,
}
