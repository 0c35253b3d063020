import { durationInMs } from './duration.js'

/** Parts of the settings with names of the user's own, which are no times even if they end in `Ms`. */
const FREE_PARTS = ['headers', 'env']

/** The times of a file as they were written, and in ms. */
export interface Durations {
  /** The text of each time, by the path that the library names in its errors. */
  readonly written: Map<string, string>
  /** Refuses a value at a path. */
  readonly refuse: (path: string, message: string, value: unknown) => Error
}

/**
 * The same settings with times such as `30s` or `1h` as ms: in every setting whose name ends in `Ms`. What is no text
 * is left to the library to judge.
 */
export function readDurations(value: unknown, path: string, durations: Durations): unknown {
  if (Array.isArray(value)) {
    return value.map((one: unknown, at) => readDurations(one, `${path}.${at}`, durations))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const at = `${path}.${key}`
      if (FREE_PARTS.includes(key)) return [key, inner]
      if (!key.endsWith('Ms') || typeof inner !== 'string') return [key, readDurations(inner, at, durations)]
      return [key, readDuration(inner, at, durations)]
    }),
  )
}

function readDuration(text: string, path: string, { written, refuse }: Durations): number {
  const ms = durationInMs(text)
  if (ms === undefined)
    throw refuse(path, 'expected a whole number of ms, or a time such as 500ms, 30s or 1h', text)
  written.set(path, text)
  return ms
}
