import { stripVTControlCharacters } from 'node:util'

/** The width of text on a terminal, and text cut to fit. Colours have no width. */

let segmenter: Intl.Segmenter | undefined

/** Made when the first text needs it: its tables take longer to load than Redis takes to answer `status`. */
const graphemesOf = (text: string): Iterable<Intl.SegmentData> =>
  (segmenter ??= new Intl.Segmenter()).segment(text)

/** Characters that are one grapheme of one cell each: ASCII, Latin, punctuation, lines, the shapes of `paintHealth`. */
const ONE_CELL_EACH = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2500-\u25fc\u2716]*$/
const NO_WIDTH = /^[\p{M}\p{Cf}\p{Cc}]+$/u
/** Emoji, and the letters of East Asia that take two cells (Unicode's East_Asian_Width W and F, by blocks). */
const TWO_CELLS =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u

function cellsOf(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0
  return TWO_CELLS.test(grapheme) ? 2 : 1
}

/** Cells of a terminal that `text` takes. */
export function widthOf(text: string): number {
  const bare = text.includes('\u001b') ? stripVTControlCharacters(text) : text
  if (ONE_CELL_EACH.test(bare)) return bare.length
  let width = 0
  for (const { segment } of graphemesOf(bare)) width += cellsOf(segment)
  return width
}

const ELLIPSIS = '…'
// eslint-disable-next-line no-control-regex -- the escape character is what begins a colour
const COLOUR = /(\u001b\[[0-9;]*m)/

/** The beginning of a text that is too long, and an ellipsis; colours that were begun are also ended. */
export function cutEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let left = width - 1
  let cut = ''
  for (const part of text.split(COLOUR)) {
    if (part.startsWith('\u001b')) cut += part
    else if (left >= 0) {
      for (const { segment } of graphemesOf(part)) {
        left -= cellsOf(segment)
        cut += left >= 0 ? segment : ELLIPSIS
        if (left < 0) break
      }
    }
  }
  return cut
}

/** Cuts an id that is too long in the middle, because ids differ at the end as often as at the beginning. */
export function cutMiddle(id: string, width: number): string {
  if (id.length <= width) return id
  const tail = Math.floor((width - 1) / 2)
  return `${id.slice(0, Math.max(0, width - 1 - tail))}${ELLIPSIS}${tail > 0 ? id.slice(-tail) : ''}`
}

/** Fills text up with spaces. */
export const padTo = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)))

/** Lines of at most `width` cells, broken between words; a longer word is broken within. */
export function wrapTo(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push(...piecesOf(word, width))
  }
  return lines
}

function piecesOf(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word]
  const pieces: string[] = []
  let piece = ''
  for (const { segment } of graphemesOf(word)) {
    if (widthOf(piece + segment) > width && piece !== '') {
      pieces.push(piece)
      piece = ''
    }
    piece += segment
  }
  return [...pieces, piece]
}
