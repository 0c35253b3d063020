import type { WriteStream } from 'node:tty'
import { cutEnd } from '../view/text-width.js'

/** Frames on a terminal: each is written over the last one, so that nothing flickers. */

export const ESC = '\u001b['
export const HIDE_CURSOR = `${ESC}?25l`
export const SHOW_CURSOR = `${ESC}?25h`
export const WRAP_ON = `${ESC}?7h`
// Lines are cut to fit, and wrapping is off: a terminal may count cells in another way, and then a frame would have more lines.
const WRAP_OFF = `${ESC}?7l`
const CLEAR_LINE_END = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

const USUAL_COLUMNS = 80
const USUAL_ROWS = 24

/** The room for a frame. One column stays free: clearing the rest of a line would erase a letter in the last column. */
export const roomOn = (out: WriteStream): { readonly columns: number; readonly rows: number } => ({
  columns: (out.columns || USUAL_COLUMNS) - 1, // a terminal without a size reports 0
  rows: out.rows || USUAL_ROWS,
})

/** Draws a frame, after `start` has moved the cursor to its first line. The cursor stays at the end of the last line. */
export function drawFrame(out: WriteStream, start: string, lines: readonly string[]): void {
  const { columns } = roomOn(out)
  const body = lines.map((line) => cutEnd(line, columns) + CLEAR_LINE_END).join('\r\n')
  out.write(`${WRAP_OFF}${start}${body}${CLEAR_BELOW}${WRAP_ON}`)
}
