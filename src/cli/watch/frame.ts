import { formatClock, formatDuration, hideSecrets } from '../../view/format.js'
import type { FleetAddress } from '../url-file.js'
import { eventLine, idWidthFor } from '../../view/event-line.js'
import type { Paints } from '../../view/paint.js'
import { pausedText } from '../../view/paused.js'
import { windowOf } from '../../view/provider-list.js'
import { statusRows } from '../../view/status-table.js'
import type { ListState } from './list-state.js'
import type { Scene } from './screen.js'

/** The screen that a frame is made for. */
export interface FrameOptions {
  /** The command that draws it. */
  readonly title: string
  readonly address: FleetAddress
  readonly paints: Paints
  readonly columns: number
  readonly rows: number
  /** The last line where no keys are read; undefined: the keys. */
  readonly foot?: string | undefined
}

const MAX_EVENTS = 10
/** Lines for the events beside a long list, and the least lines of list beside which events are shown. */
const KEPT_EVENTS = 3
const MIN_LIST = 12
/** An empty line and a title above the events. */
const EVENTS_HEAD = 2

/** The lines of one frame, at most `rows`; they may be wider than the screen. */
export function frameOf(scene: Scene, list: ListState, options: FrameOptions): string[] {
  const { rows } = options
  const head = [header(scene, options), summary(scene, list, options), '']
  const foot = ['', footer(list, options)]
  const room = Math.max(1, rows - head.length - foot.length)
  const kept = room - KEPT_EVENTS - EVENTS_HEAD >= MIN_LIST && scene.events.length > 0
  const table = tableLines(scene, list, { ...options, rows: kept ? room - KEPT_EVENTS - EVENTS_HEAD : room })
  const events = eventLines(scene, room - table.length, options)
  return [...head, ...table, ...events, ...foot].slice(0, rows)
}

function header({ away }: Scene, { title, address, paints }: FrameOptions): string {
  const { bold, dim, red } = paints
  const line = `${bold(title)}  ${dim(formatClock(Date.now()))}`
  const where = dim(`${hideSecrets(address.redis)}  namespace ${address.namespace}`)
  if (away === undefined) return `${line}  ${where}`
  const since = formatDuration(Math.floor((performance.now() - away.since) / 1_000) * 1_000)
  return `${line}  ${red(`✖ Redis does not answer for ${since}`)}  ${where}`
}

function summary(
  { views, unreadable, away, pausedQueues }: Scene,
  list: ListState,
  { paints }: FrameOptions,
): string {
  const { green, yellow, red, dim } = paints
  if (away !== undefined) {
    return dim(`${away.why}; below is what was last seen, and it goes on when Redis answers`)
  }
  const count = (name: string) => views.filter(({ snapshot }) => snapshot.health === name).length
  const [healthy, degraded] = [count('healthy'), count('degraded')]
  const down = views.length - healthy - degraded
  const some = (paint: (text: string) => string, n: number, word: string) =>
    (n === 0 ? dim : paint)(`${n} ${word}`)
  const matching = views.filter(({ snapshot }) => list.accepts(snapshot.id)).length
  return [
    some(green, healthy, 'healthy'),
    some(yellow, degraded, 'degraded'),
    some(red, down, 'unhealthy'),
    ...(list.filter === '' ? [] : [`/${list.filter}: ${matching} of ${views.length}`]),
    ...(unreadable.length === 0 ? [] : [red(`${unreadable.length} cannot be read: busbar doctor`)]),
    ...(pausedQueues.length === 0 ? [] : [yellow(pausedText(pausedQueues))]),
  ].join(dim('  '))
}

/** The part of the list that fits, and below it how much of it is hidden. */
function tableLines(
  { views, read }: Scene,
  list: ListState,
  { paints, columns, rows }: FrameOptions,
): string[] {
  const { dim } = paints
  const chosen = views.filter(({ snapshot }) => list.accepts(snapshot.id))
  if (chosen.length === 0) {
    list.shown({ first: 0, count: 0, widths: [] })
    return [dim(nothingText(read, views.length, list.filter))]
  }
  const table = statusRows(chosen, paints, { columns, reasonLines: 1, widths: list.widths })
  const all = table.rows.flat()
  if (all.length + 1 <= rows) {
    list.shown({ first: 0, count: chosen.length, widths: table.widths })
    return [table.head, ...all]
  }
  const part = windowOf(table.rows, list.first, rows - 2)
  list.shown({ first: part.first, count: part.shown, widths: table.widths })
  const hidden = [`↑ ${part.first} above`, `↓ ${part.below} below`, `of ${chosen.length}`].join('  ')
  const free = Array.from({ length: Math.max(0, rows - 2 - part.lines.length) }, () => '')
  return [table.head, ...part.lines, ...free, dim(hidden)]
}

function nothingText(read: number, listed: number, filter: string): string {
  if (read === 0) return 'No provider is registered here yet.'
  return listed === 0 ? 'All providers are healthy.' : `No provider matches ${filter}.`
}

function eventLines({ events }: Scene, room: number, { paints, columns }: FrameOptions): string[] {
  const idWidth = idWidthFor(columns)
  const shown = events.slice(-Math.max(0, Math.min(room - EVENTS_HEAD, MAX_EVENTS)))
  if (room <= EVENTS_HEAD || shown.length === 0) return []
  const lineOf = (line: Scene['events'][number]) =>
    'text' in line ? `${paints.dim(formatClock(line.at))} ${line.text}` : eventLine(line, paints, idWidth)
  return ['', paints.dim('EVENTS'), ...shown.map(lineOf)]
}

function footer(list: ListState, { paints, foot }: FrameOptions): string {
  const { dim, bold } = paints
  if (foot !== undefined) return dim(foot)
  if (list.typing) return `${bold(`/${list.filter}_`)}  ${dim('Enter keeps it, Escape clears it')}`
  const clear = list.filter === '' ? '' : '  Esc clear'
  return dim(`q quit  / filter${clear}  ↑ ↓ PgUp PgDn Home End  busbar explain <id> says why`)
}
