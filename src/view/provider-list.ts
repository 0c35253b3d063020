import type { ProviderView } from './provider-view.js'

/** The choice and order of the providers in a list, and the part of it on the screen. */

/** Whether text is a pattern for several providers: ids have neither of these letters. */
export const isPattern = (text: string): boolean => /[*?]/.test(text)

/** `*` stands for any letters, `?` for one; without them the whole id is meant. */
export const matcherOf =
  (pattern: string) =>
  (id: string): boolean =>
    matches(pattern, id)

/** O(pattern x id): it goes back to the last `*` alone, where a regular expression would try all of them. */
function matches(pattern: string, id: string): boolean {
  let [at, star, resume] = [0, -1, 0]
  let next = 0
  while (next < id.length) {
    const letter = pattern[at]
    if (letter === '*') {
      star = at
      resume = next
      at += 1
    } else if (letter === '?' || letter === id[next]) {
      at += 1
      next += 1
    } else if (star >= 0) {
      at = star + 1
      resume += 1
      next = resume
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}

/** As `matcherOf`; without `*` and `?` a part of the id is enough, in upper or lower case. */
export function finderOf(typed: string): (id: string) => boolean {
  if (isPattern(typed)) return matcherOf(typed)
  const part = typed.toLowerCase()
  return (id) => id.toLowerCase().includes(part)
}

export const isHealthy = ({ snapshot }: ProviderView): boolean => snapshot.health === 'healthy'

/** The worst first, equal ones in the order in which they were registered. */
export const worstFirst = (views: readonly ProviderView[]): ProviderView[] =>
  [...views].sort((a, b) => rankOf(a) - rankOf(b))

function rankOf({ snapshot: { health, state, throttled, stale } }: ProviderView): number {
  switch (health) {
    case 'unhealthy':
    case 'timeout':
      return 0
    case 'terminated':
      return 1 // after those that failed by themselves: a person decided this
    case 'degraded':
      return 2
    case 'healthy':
      return state !== 'closed' || throttled || stale ? 3 : 4
    default:
      return health satisfies never
  }
}

/** The visible part of a list of blocks of lines: from the block `first` on, as many as fit into `room` lines. */
export function windowOf(blocks: readonly (readonly string[])[], first: number, room: number) {
  const from = Math.min(Math.max(0, first), lastFirst(blocks, room))
  const lines: string[] = []
  let to = from
  for (; to < blocks.length; to += 1) {
    const block = blocks[to] ?? []
    if (lines.length + block.length > room && to > from) break
    lines.push(...block)
  }
  return {
    first: from,
    lines: lines.slice(0, Math.max(0, room)),
    shown: to - from,
    below: blocks.length - to,
  }
}

/** The first block of the last screen, at which scrolling ends. */
function lastFirst(blocks: readonly (readonly string[])[], room: number): number {
  let left = room
  let first = blocks.length
  while (first > 0) {
    left -= blocks[first - 1]?.length ?? 0
    if (left < 0) break
    first -= 1
  }
  return Math.max(0, Math.min(first, blocks.length - 1))
}
