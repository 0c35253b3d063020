/** Which rows of a long list are drawn: those on the screen, and some on both sides. All rows have one height. */
export interface Range {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

export interface Viewport {
  /** Where the list begins, px above the upper edge of the screen; negative while it is below it. */
  readonly above: number
  readonly height: number
}

/** Rows beyond the edges: enough for the next Tab, and for a turn of the wheel until the next drawing. */
const BEYOND = 8

export function rangeOf(count: number, rowHeight: number, { above, height }: Viewport): Range {
  const first = Math.floor(above / rowHeight) - BEYOND
  const last = Math.ceil((above + height) / rowHeight) + BEYOND
  const to = Math.min(count, Math.max(0, last))
  return { from: Math.min(Math.max(0, first), to), to }
}

/** The rows to draw, in order: the range, and the one that has the focus, which would be lost with it. */
export function rowsOf({ from, to }: Range, focused: number | undefined): readonly number[] {
  const rows = Array.from({ length: to - from }, (_, at) => from + at)
  if (focused === undefined || (focused >= from && focused < to)) return rows
  return focused < from ? [focused, ...rows] : [...rows, focused]
}

/** Keeps the order that a person points into; new ids come at the end, those that are gone are left out. */
export function holdOrder<T>(items: readonly T[], held: readonly string[], idOf: (item: T) => string): T[] {
  const places = new Map(held.map((id, at) => [id, at]))
  const placeOf = (item: T) => places.get(idOf(item)) ?? Infinity
  return [...items].sort((a, b) => {
    const [first, second] = [placeOf(a), placeOf(b)]
    return first === second ? 0 : first - second
  })
}
