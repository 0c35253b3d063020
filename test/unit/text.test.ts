import { describe, expect, it } from 'vitest'
import { shorten, toText } from '../../src/model/text.js'

const WHOLE: readonly (readonly [what: string, text: string, max: number, kept: string])[] = [
  ['short text', 'HTTP 503', 200, 'HTTP 503'],
  ['text of exactly the length', 'x'.repeat(200), 200, 'x'.repeat(200)],
  ['a pair at the cut', `${'x'.repeat(199)}😀`, 200, 'x'.repeat(199)],
  ['a pair before the cut', `${'x'.repeat(198)}😀y`, 200, `${'x'.repeat(198)}😀`],
  ['half a pair', 'cut: \ud83d', 200, 'cut: \ufffd'],
  ['the other half', '\ude00 cut', 200, '\ufffd cut'],
  ['a letter and its accent', 'e\u0301'.repeat(150), 201, 'e\u0301'.repeat(100)],
  ['a family, which is one character of 11 units', `${'x'.repeat(195)}👨‍👩‍👧‍👦`, 200, 'x'.repeat(195)],
  ['a flag, which is two code points', `${'x'.repeat(198)}🇩🇪`, 200, 'x'.repeat(198)],
  ['NUL and marks of direction', '\u0000\u202e\u2066right', 4, '\u0000\u202e\u2066r'],
  ['a letter under more accents than any has', `e${'\u0301'.repeat(1_000)}`, 200, `e${'\u0301'.repeat(199)}`],
  ['such a letter with a pair at the cut', `e${'\u{1d165}'.repeat(500)}`, 200, `e${'\u{1d165}'.repeat(99)}`],
]

describe('text from outside', () => {
  it.each(WHOLE)('%s is cut between characters, and well-formed', (_, text, max, kept) => {
    expect(toText(text, max)).toBe(kept)
    expect(toText(text, max).isWellFormed()).toBe(true)
  })

  it('of a megabyte costs no more than its beginning', () => {
    expect(toText('😀'.repeat(500_000), 200)).toBe('😀'.repeat(100))
  })

  it('says that it was cut, where a person reads it', () => {
    expect(shorten('abc', 3)).toBe('abc')
    expect(shorten(`${'x'.repeat(9)}😀`, 10)).toBe(`${'x'.repeat(9)}…`)
    expect(shorten('abcd', 3, '...')).toBe('abc...')
  })
})
