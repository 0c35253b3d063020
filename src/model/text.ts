/**
 * Text from outside (a detail, a reason, a body, the words of an error), made fit to be stored. Half of a surrogate pair
 * is no character: `JSON.stringify` writes it as an escape that the JSON of Redis refuses, and the whole command with it.
 */

/** The text with every half character replaced by U+FFFD, at most `max` UTF-16 units of it, cut between characters. */
export function toText(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed()
  const head = text.slice(0, max + MAX_CHARACTER).toWellFormed()
  return head.slice(0, boundary(head, max))
}

/** As `toText`; what was cut says so. */
export function shorten(text: string, max: number, mark = '…'): string {
  return text.length > max ? `${toText(text, max)}${mark}` : text.toWellFormed()
}

/** Characters as people see them (letter and accents, a family of emoji) may have several code points: UTF-16 units. */
const MAX_CHARACTER = 32

/** Made when it is first needed: it loads tables. */
let segmenter: Intl.Segmenter | undefined

/** The start of the character that `max` falls into; of the code point, where that character is longer than any real one. */
function boundary(text: string, max: number): number {
  segmenter ??= new Intl.Segmenter()
  const start = segmenter.segment(text).containing(max)?.index ?? max
  if (max - start <= MAX_CHARACTER) return start
  return isLow(text.charCodeAt(max)) ? max - 1 : max
}

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff
