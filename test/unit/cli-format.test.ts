import { describe, expect, it } from 'vitest'

import { parseDuration } from '../../src/cli/duration.js'
import {
  clean,
  formatAbout,
  formatCount,
  formatDuration,
  formatRate,
  hideSecrets,
  wrap,
} from '../../src/view/format.js'

describe('durations', () => {
  it.each([
    [0, '0ms'],
    [850, '850ms'],
    [2_199, '2.1s'],
    [3_000, '3s'],
    [42_999, '42s'],
    [60_000, '1m'],
    [250_000, '4m 10s'],
    [3_600_000, '1h'],
    [11_100_000, '3h 5m'],
    [183_600_000, '2d 3h'],
  ])('%d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('that run show tenths of a second at most', () => {
    expect([formatAbout(-3), formatAbout(849), formatAbout(42_000)]).toEqual(['0.0s', '0.8s', '42s'])
  })

  it.each([
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1500ms', 1_500],
    [' 1500 ', 1_500],
  ])('%s is read as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '5 m', '-1s', '1e3', 'Infinity', '0', '0.0001ms', '5min', '١s'])('%s is refused', (text) => {
    expect(() => parseDuration(text)).toThrow(/such as 30s/)
  })
})

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1.0k'],
    [99_949, '99.9k'],
    [100_000, '100k'],
    [999_949, '1000k'],
    [1_234_567, '1.2M'],
  ])('%d reads %s', (count, text) => expect(formatCount(count)).toBe(text))

  it('a rate is 100% only when it is all, and 0% only when it is none', () => {
    expect([1, 0.99999, 0.973, 0.29, 0.0004, 0].map(formatRate)).toEqual([
      '100%',
      '99.9%',
      '97.3%',
      '29%',
      '<0.1%',
      '0%',
    ])
  })
})

describe('text from elsewhere', () => {
  it('loses what would move a cursor', () => {
    expect(clean('a\u001b[2J\r\nb\u009bc\u2028d')).toBe('a [2J b c d')
  })

  it('loses the password of an address', () => {
    expect(hideSecrets('redis://me:secret@host:6379/1')).toBe('redis://***@host:6379/1')
    expect(hideSecrets('redis://host:6379')).toBe('redis://host:6379')
    expect(hideSecrets('/run/redis.sock')).toBe('/run/redis.sock')
  })

  it('breaks between words', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('incomprehensible me', 5)).toEqual(['incomprehensible', 'me'])
    expect(wrap('one two', Infinity)).toEqual(['one two'])
  })
})
