import type { ProviderEvent } from '../../index.js'
import { clean, formatClock, formatTime } from '../format.js'
import type { Paints } from './paint.js'
import { madeBy } from './provider-view.js'

/** What happened, as a person says it: `opened (closed -> open)`. */
export function eventWords({ kind, from, to }: ProviderEvent): string {
  if (kind === 'registered' || kind === 'removed' || kind === 'throttled') return kind
  if (kind === 'settings_changed') return clean(`${kind} (${from} -> ${to})`)
  return `${kind} (${from || 'no mark'} -> ${to || 'no mark'})`
}

export function paintEvent(paints: Paints, { kind }: ProviderEvent, text: string): string {
  switch (kind) {
    case 'opened':
    case 'marked':
    case 'removed':
      return paints.red(text)
    case 'closed':
    case 'reset':
    case 'resumed':
      return paints.green(text)
    case 'half_opened':
    case 'throttled':
      return paints.yellow(text)
    case 'registered':
    case 'settings_changed':
      return text
    default:
      return kind satisfies never
  }
}

/** `20:41:03 cycling opened (closed -> open): 3 consecutive failures, last: unhealthy`. */
export function eventLine(event: ProviderEvent, paints: Paints): string {
  const reason = event.reason === '' || event.reason === event.kind ? '' : `: ${clean(event.reason)}`
  const words = paintEvent(paints, event, eventWords(event))
  return `${paints.dim(formatClock(event.at))} ${paints.bold(event.providerId)} ${words}${reason}`
}

/** The cells of `busbar events`. */
export const eventRow = (event: ProviderEvent, paints: Paints): string[] => [
  paints.dim(formatTime(event.at)),
  paintEvent(paints, event, eventWords(event)),
  madeBy(event),
  clean(event.reason) || '-',
]
