import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `5m`, `1.5h`, `1500ms`, `1500`: ms, at least 1. How long at most is for the command to say. */
export function parseDuration(text: string): number {
  const [, value = '', unit = 'ms'] = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? []
  const ms = Math.round(Number(value) * (UNITS[unit] ?? 1))
  if (value === '' || ms < 1) {
    throw new InvalidArgumentError('Expected a time such as 30s, 5m, 2h or 1500 (ms).')
  }
  return ms
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError('Expected a whole number from 1 to 999999.')
  return Number(text)
}
