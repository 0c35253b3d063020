import Table from 'cli-table3'

/** No lines, two spaces between columns: quiet to read, and it pastes well. */
const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
}

export interface TableOptions {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Characters for the last column, beyond which it wraps; default: as many as it takes. */
  readonly lastWidth?: number
}

export function renderTable({ head, rows, lastWidth }: TableOptions): string {
  const table = new Table({
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 1, head: [], border: [], compact: true },
    head: [...head],
    wordWrap: true,
    ...(lastWidth === undefined
      ? {}
      : { colWidths: [...head.slice(1).map(() => null), lastWidth + 1], wrapOnWordBoundary: true }),
  })
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const segments = new Intl.Segmenter()

/** Visible characters: colours take none. */
export const widthOf = (text: string): number =>
  // eslint-disable-next-line no-control-regex -- the escape character is what begins a colour
  [...segments.segment(text.replace(/\u001b\[[0-9;]*m/g, ''))].length
