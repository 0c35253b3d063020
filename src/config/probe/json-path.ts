/**
 * A path in a JSON value: names and indexes, `checks[0].state`, with or without `$.` before them; `$` is the whole.
 * There are no wildcards, filters or expressions, so that a path from Redis costs no more than its length.
 */
export type JsonPath = readonly (string | number)[]

export const MAX_PATH_DEPTH = 20
const MAX_PATH_LENGTH = 512
const SEGMENT = /^(?:\.?([A-Za-z0-9_@-]{1,64})|\[(\d{1,6})\])/

/** The steps of a path; undefined for text that is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '$') return []
  if (text === '' || text.length > MAX_PATH_LENGTH) return undefined
  let rest = text.startsWith('$') ? text.slice(1) : `.${text}`
  // `$a` is no path, and `[0]` may stand first.
  if (text.startsWith('$') && !/^[.[]/.test(rest)) return undefined
  if (text.startsWith('[')) rest = text
  const path: (string | number)[] = []
  while (rest !== '') {
    const found = /^[.[]/.test(rest) ? SEGMENT.exec(rest) : null
    if (found === null || path.length === MAX_PATH_DEPTH) return undefined
    const [whole, name, index] = found
    path.push(name ?? Number(index))
    rest = rest.slice(whole.length)
  }
  return path
}
