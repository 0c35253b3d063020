import { maskSecretsInText, type ProviderEvent } from '../index.js'
import { eventWords, reasonOf } from './event-words.js'
import { formatCount, formatTime } from './format.js'
import type { Paints } from './paint.js'
import { madeBy } from './provider-view.js'
import type { ListedEvent } from './reopenings.js'
import { cutMiddle } from './text-width.js'

/** The most columns of an id in a line that must fit, so that the event is visible beside it. */
export const idWidthFor = (columns: number): number => Math.max(16, Math.floor(columns / 3))

/** An event for a program, with possible secrets in settings masked. */
export const eventJson = (event: ProviderEvent): ProviderEvent =>
  event.kind === 'settings_changed'
    ? { ...event, from: maskSecretsInText(event.from), to: maskSecretsInText(event.to) }
    : event

const timesText = ({ times, since }: Required<ListedEvent>['reopened']): string =>
  `, ${formatCount(times)} times since ${formatTime(since)}`

export function paintEvent(paints: Paints, { kind }: ProviderEvent, text: string): string {
  switch (kind) {
    case 'opened':
    case 'marked':
    case 'removed':
      return paints.red(text)
    case 'closed':
    case 'reset':
    case 'resumed':
    case 'worker_cleared':
      return paints.green(text)
    case 'half_opened':
    case 'throttled':
    case 'probe_overdue':
    case 'worker_suspected':
      return paints.yellow(text)
    case 'registered':
    case 'settings_changed':
      return text
    default:
      kind satisfies never
      return text
  }
}

/** `20:41:03 cycling opened: 3 consecutive failures, last: unhealthy`; with its date where that is not today. Ids are cut to `idWidth`. */
export function eventLine(event: ProviderEvent, paints: Paints, idWidth = Infinity): string {
  const reason = reasonOf(event)
  const words = paintEvent(paints, event, eventWords(event))
  return `${paints.dim(formatTime(event.at))} ${paints.bold(cutMiddle(event.providerId, idWidth))} ${words}${reason === '' ? '' : `: ${reason}`}`
}

/** The cells of `busbar events`. */
export const eventRow = ({ event, reopened }: ListedEvent, paints: Paints): string[] => [
  paints.dim(formatTime(event.at)),
  paintEvent(paints, event, eventWords(event) + (reopened === undefined ? '' : timesText(reopened))),
  madeBy(event),
  reasonOf(event) || '-',
]
