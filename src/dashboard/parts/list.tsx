import type { ComponentChildren, TargetedEvent } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { rangeOf, rowsOf, type Range } from '../store/windowing.js'

export interface ListProps {
  readonly label: string
  readonly heads: readonly string[]
  readonly count: number
  readonly rowHeight: number
  readonly keyOf: (at: number) => string
  /** The cells of a row. */
  readonly row: (at: number) => ComponentChildren
}

/**
 * A table of any length, of which only the rows on the screen are in the page, and the one with the focus. It scrolls with the
 * page; a reader of screens is told how long it is, and which row is which.
 */
export function List({ label, heads, count, rowHeight, keyOf, row }: ListProps) {
  const body = useRef<HTMLDivElement>(null)
  const range = useRange(body, count, rowHeight)
  const [focused, setFocused] = useState<string>()
  const rows = rowsOf(range, placeOf(focused, { count, keyOf }))
  const onFocus = (event: TargetedEvent<HTMLDivElement>) => {
    const within = event.target instanceof Element ? event.target.closest('[data-key]') : null
    setFocused(within?.getAttribute('data-key') ?? undefined)
  }
  return (
    <div role="table" class="list" aria-label={label} aria-rowcount={count + 1}>
      <Heads heads={heads} />
      <div
        role="rowgroup"
        class="rows"
        ref={body}
        style={{ height: `${count * rowHeight}px` }}
        onFocusCapture={onFocus}
        onBlurCapture={() => setFocused(undefined)}
      >
        {rows.map((at) => (
          <div
            role="row"
            class="row"
            key={keyOf(at)}
            data-key={keyOf(at)}
            aria-rowindex={at + 2}
            style={{ transform: `translateY(${at * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {row(at)}
          </div>
        ))}
      </div>
    </div>
  )
}

const Heads = ({ heads }: Pick<ListProps, 'heads'>) => (
  <div role="rowgroup">
    <div role="row" class="heads" aria-rowindex={1}>
      {heads.map((head) => (
        <span role="columnheader" key={head}>
          {head}
        </span>
      ))}
    </div>
  </div>
)

function placeOf(key: string | undefined, { count, keyOf }: Pick<ListProps, 'count' | 'keyOf'>) {
  if (key === undefined) return undefined
  for (let at = 0; at < count; at += 1) if (keyOf(at) === key) return at
  return undefined
}

function useRange(body: { readonly current: HTMLElement | null }, count: number, rowHeight: number): Range {
  const [range, setRange] = useState<Range>({ from: 0, to: Math.min(count, 30) })
  const look = () => {
    const above = -(body.current?.getBoundingClientRect().top ?? 0)
    const next = rangeOf(count, rowHeight, { above, height: innerHeight })
    setRange((was) => (was.from === next.from && was.to === next.to ? was : next))
  }
  useLayoutEffect(look, [count, rowHeight])
  useEffect(() => {
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [count, rowHeight])
  const to = Math.min(range.to, count)
  return { from: Math.min(range.from, to), to }
}

/** Whether the page is narrow: the rows are higher then. */
export function useNarrow(): boolean {
  const query = '(max-width: 760px)'
  const [narrow, setNarrow] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const changed = () => setNarrow(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return narrow
}
