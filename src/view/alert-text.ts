import type { Alert, AlertMessage, AlertStatus } from '../model/alerts.js'
import type { ProviderEvent } from '../model/events.js'
import { eventWords, reasonOf } from './event-words.js'
import { clean, formatAbout, formatDuration, plural } from './format.js'

/** The sentences of alerts, for a person who reads them in a chat or a pager. */

/** Older events are said to be so: their message was held up, or no process was there to send it. */
const LATE_MS = 60_000

/** `openai opened: 3 consecutive failures, last: timeout (opened 3 times, closed 2 times in 8s)`. `agoMs`: since the last event. */
export function alertText(
  event: ProviderEvent,
  { counts, since, at }: Pick<Alert, 'counts' | 'since' | 'at'>,
  agoMs: number,
): string {
  const reason = reasonOf(event)
  const by = event.actor === '' ? '' : `, by ${clean(event.actor)}`
  const ago = agoMs < LATE_MS ? '' : `, ${formatAbout(agoMs)} ago`
  const kinds = Object.entries(counts).map(([kind, count]) => `${kind} ${plural(count, 'time')}`)
  const several = Object.values(counts).reduce((sum, count) => sum + count, 0) > 1
  const repeated = several ? ` (${kinds.join(', ')} in ${formatDuration(at - since)})` : ''
  return `${clean(event.providerId)} ${eventWords(event)}${reason === '' ? '' : `: ${reason}`}${by}${ago}${repeated}`
}

const STATUSES: readonly AlertStatus[] = ['firing', 'resolved', 'info']

/** One line for one alert; else a head that counts them, and a line each. */
export function messageText({
  namespace,
  status,
  alerts,
  omitted,
}: Pick<AlertMessage, 'namespace' | 'status' | 'alerts' | 'omitted'>): string {
  const head = `[${status}] ${namespace}`
  const [first] = alerts
  if (first !== undefined && alerts.length + omitted === 1) return `${head}: ${first.text}`
  const counted = STATUSES.map((one) => [alerts.filter((alert) => alert.status === one).length, one] as const)
  const counts = counted.filter(([count]) => count > 0).map(([count, one]) => `${count} ${one}`)
  const rest = omitted === 0 ? [] : [`- and ${plural(omitted, 'more', 'more')}`]
  return [
    `${head}: ${counts.join(', ')}`,
    ...alerts.map((alert) => `- ${alert.status}: ${alert.text}`),
    ...rest,
  ].join('\n')
}

/** The message of `busbar alerts test`. */
export const testText = (namespace: string, hook: string): string =>
  `[test] ${namespace}: a test of the hook ${hook}; nothing is wrong`
