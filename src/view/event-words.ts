import { maskSecretsInText } from '../config/mask.js'
import type { ProviderEvent } from '../model/events.js'
import { clean } from './format.js'

/** The kind of an event, and what it began from unless the kind implies it: `opened (from half_open)`. */
export function eventWords({ kind, from, to }: ProviderEvent): string {
  switch (kind) {
    case 'opened':
      return from === 'closed' ? kind : `${kind} (from ${from})`
    case 'reset':
      return `${kind} (from ${from})`
    case 'marked':
      return `${kind} ${to}${from === '' ? '' : ` (from ${from})`}`
    case 'resumed':
      return `${kind} (from ${from})`
    case 'worker_suspected':
      return clean(`${kind} ${to}`)
    case 'worker_cleared':
      return clean(`${kind} ${from}`)
    case 'settings_changed':
      return clean(maskSecretsInText(`${kind} (${from} -> ${to})`))
    case 'half_opened':
    case 'closed':
    case 'registered':
    case 'throttled':
    case 'probe_overdue':
    case 'removed':
      return kind
    default:
      // A kind that a later version added is shown by its name.
      return clean(kind satisfies never)
  }
}

/** Why it happened, in words; empty where the kind says it all. */
export const reasonOf = ({ kind, reason }: Pick<ProviderEvent, 'kind' | 'reason'>): string =>
  reason === kind ? '' : clean(reason)
