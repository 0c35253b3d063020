import { redactText } from '../model/redact.js'

/** Numbers and times as a person reads them. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Unit {
  readonly ms: number
  readonly sign: string
}

const UNITS = {
  second: { ms: SECOND, sign: 's' },
  minute: { ms: MINUTE, sign: 'm' },
  hour: { ms: HOUR, sign: 'h' },
  day: { ms: DAY, sign: 'd' },
} as const

/** `850ms`, `2.1s`, `42s`, `4m 10s`, `3h 5m`, `2d 3h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)}ms`
  if (ms < 10 * SECOND) return `${Math.floor(ms / 100) / 10}s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`
  if (ms < HOUR) return pair(ms, UNITS.minute, UNITS.second)
  if (ms < DAY) return pair(ms, UNITS.hour, UNITS.minute)
  return pair(ms, UNITS.day, UNITS.hour)
}

function pair(ms: number, big: Unit, small: Unit): string {
  const rest = Math.floor((ms % big.ms) / small.ms)
  return `${Math.floor(ms / big.ms)}${big.sign}${rest === 0 ? '' : ` ${rest}${small.sign}`}`
}

/** A running time, to a tenth of a second at most: `0.8s`, `4m 10s`. */
export const formatAbout = (ms: number): string =>
  ms < SECOND ? `${(Math.floor(Math.max(0, ms) / 100) / 10).toFixed(1)}s` : formatDuration(ms)

/** `812`, `1.2k`, `3.4M`. */
export function formatCount(count: number): string {
  if (count < 1_000) return String(count)
  const [value, unit] = count < 999_950 ? [count / 1_000, 'k'] : [count / 1_000_000, 'M']
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)}${unit}`
}

/** `812`, `1,012`: for numbers of rows, which need not be short. */
export const formatExact = (count: number): string => count.toLocaleString('en')

/** `1 provider`, `1,012 providers`. */
export const pluralExact = (count: number, one: string, many = `${one}s`): string =>
  `${formatExact(count)} ${count === 1 ? one : many}`

/** A share, rounded so that only all reads `100%` and only none reads `0%`. */
export function formatRate(rate: number): string {
  const tenths = Math.floor(rate * 1_000 + 1e-9) / 10
  return rate > 0 && tenths === 0 ? '<0.1%' : `${tenths}%`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Wall-clock time here: `20:41:03`. */
export function formatClock(ms: number): string {
  const date = new Date(ms)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

/** `20:41:03` today, `2026-03-01 20:41:03` on any other day. */
export function formatTime(ms: number, now = Date.now()): string {
  const date = new Date(ms)
  if (date.toDateString() === new Date(now).toDateString()) return formatClock(ms)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatClock(ms)}`
}

/** `1 failure`, `2 failures`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`

/** Text from outside for a terminal: a character that would move the cursor, or turn the direction of text, becomes a space. */
export const clean = (text: string): string => text.replace(UNSHOWN, ' ')

// eslint-disable-next-line no-control-regex -- control characters are what is taken out here
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g

/** Text that may hold an address, for a screen: without anything that looks like a secret. */
export const hideSecrets = (text: string): string => clean(redactText(text))

/** Lines of at most `width` characters, broken between words; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** `512 B`, `1.2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1_024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? ''}`
}

/** A short time as it was measured: `0.4 ms`, `12 ms`. */
export const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
