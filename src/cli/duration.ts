import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const DURATION = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/

/** Parses `30s`, `5m`, `1.5h`, `1500ms` or `1500` to ms, at least 1. Each command has a maximum of its own. */
export function parseDuration(text: string): number {
  const [, value = '', unit = 'ms'] = DURATION.exec(text.trim()) ?? []
  const ms = Math.round(Number(value) * (UNITS[unit] ?? 1))
  if (value === '' || ms < 1) {
    throw new InvalidArgumentError('Expected a time such as 30s, 5m, 2h or 1500 (ms).')
  }
  return ms
}

/** The ms of `30s`, `1.5h` or `500ms`; undefined where the unit is missing, or it is no whole number of ms. */
export function durationInMs(text: string): number | undefined {
  const [, value = '', unit] = DURATION.exec(text.trim()) ?? []
  const scale = unit === undefined ? undefined : UNITS[unit]
  if (scale === undefined) return undefined
  const ms = Number(value) * scale
  const whole = Math.round(ms)
  return Math.abs(ms - whole) < ROUNDING ? whole : undefined // 1.1s is 1100.0000000000002 ms
}

const ROUNDING = 1e-6

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError('Expected a whole number from 1 to 999999.')
  return Number(text)
}

/** A port; 0 is any that is free. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(port <= 65_535)) throw new InvalidArgumentError('Expected a port from 0 to 65535.')
  return port
}

/** Any number, in digits. Bounds are for those that use it. */
export function parseNumber(text: string): number {
  const number = text.trim() === '' ? NaN : Number(text)
  if (Number.isNaN(number)) throw new InvalidArgumentError('Expected a number.')
  return number
}
