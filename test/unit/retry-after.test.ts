import { describe, expect, it } from 'vitest'
import { pauseOf } from '../../src/client/shared/retry-after.js'

describe('the pause that a response asks for', () => {
  const SENT = 'Wed, 21 Oct 2015 07:28:00 GMT'

  it.each<[string, object, number]>([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['seconds with blanks around', { 'retry-after': ' 7 ' }, 7_000],
    ['seconds as a number', { 'retry-after': 7 }, 7_000],
    ['a fraction', { 'retry-after': '1.5' }, 1_500],
    ['a fraction below 1, rounded up', { 'retry-after': '0.941641' }, 942],
    ['a dot at the end', { 'retry-after': '2.' }, 2_000],
    ['a long fraction', { 'retry-after': '292.052427053' }, 292_053],
    ['a day at most', { 'retry-after': '999999999' }, 86_400_000],
    ['milliseconds', { 'retry-after-ms': '2500' }, 2_500],
    ['milliseconds before seconds', { 'retry-after': '7', 'retry-after-ms': '2500' }, 2_500],
    ['the reset of a rate limit', { 'x-ratelimit-reset-after': '0.65' }, 650],
    ['names in any case', { 'Retry-After': '7' }, 7_000],
    ['names in capitals', { 'RETRY-AFTER-MS': '700' }, 700],
    ['a list of values', { 'retry-after': ['7'] }, 7_000],
    ['something with get', new Headers({ 'Retry-After': '7' }), 7_000],
    ['a Map', new Map([['retry-after', '7']]), 7_000],
    ["a date, by the response's own", { 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT', date: SENT }, 30_000],
    ['a date of RFC 850', { 'retry-after': 'Wednesday, 21-Oct-15 07:28:30 GMT', date: SENT }, 30_000],
    ['a date of asctime', { 'retry-after': 'Wed Oct 21 07:28:30 2015', date: SENT }, 30_000],
  ])('is %s', (_, headers, ms) => {
    expect(pauseOf(headers)).toBe(ms)
  })

  it.each([
    ...[
      '',
      '0',
      '0.0',
      '-1',
      '+5',
      '1,5',
      '60s',
      '1m',
      '120, 120',
      '5 seconds',
      'in 5',
      '1e3',
      'soon',
      '0x10',
    ],
    ...['2099-10-21', '2099-10-21T07:28:00Z', 'Wed, nonsense'],
  ])('is a second where it is nonsense: %j', (value) => {
    expect(pauseOf({ 'retry-after': value })).toBe(1_000)
  })

  it.each([
    ['nothing is said', {}],
    ['there are no headers', undefined],
    ['the date has passed', { 'retry-after': SENT, date: 'Wed, 21 Oct 2015 07:28:01 GMT' }],
    ['the date is just now', { 'retry-after': SENT, date: SENT }],
    ["the date has passed by this process's clock", { 'retry-after': SENT }],
  ])('is a second where %s', (_, headers) => {
    expect(pauseOf(headers)).toBe(1_000)
  })

  it('is by the clock of this process where the response bears no date', () => {
    const ms = pauseOf({ 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() })
    expect(ms).toBeGreaterThan(3_500_000)
    expect(ms).toBeLessThanOrEqual(3_600_000)
  })
})
