import type { EventOf, ProviderEvent } from '../../model/events.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { Logger } from '../shared/log.js'

/** What the winner of a transition writes to its log, so that a fleet writes each line once. */
export function logTransition(log: Logger, event: ProviderEvent, snapshot: StoredSnapshot | null): void {
  const fields = { provider: event.providerId, reason: event.reason, generation: event.generation }
  switch (event.kind) {
    case 'opened':
      log.warn({ ...fields, ...openedFields(event, snapshot) }, openedMessage(event))
      return
    case 'closed':
      log.info(fields, 'circuit closed')
      return
    case 'half_opened':
      log.debug(fields, 'circuit half-open: a trial begins')
      return
    case 'reset':
    case 'marked':
    case 'resumed':
    case 'removed':
      log.info({ ...fields, actor: event.actor, to: event.to }, `provider ${event.kind}`)
      return
    case 'throttled':
      log.info(fields, 'provider asked for a pause')
      return
    case 'probe_overdue':
      log.warn(fields, 'probe overdue')
      return
    case 'worker_suspected':
    case 'worker_cleared':
      logSuspect(log, event)
      return
    case 'settings_changed':
      log.info({ ...fields, from: event.from, to: event.to }, 'settings changed')
      return
    case 'registered':
      log.debug(fields, 'provider registered')
      return
    default:
      event satisfies never
  }
}

const openedMessage = ({ from }: ProviderEvent): string =>
  from === 'half_open' ? 'circuit re-opened' : 'circuit opened'

const openedFields = ({ actor }: ProviderEvent, snapshot: StoredSnapshot | null): object => ({
  ...(snapshot === null ? {} : failuresOf(snapshot)),
  ...(actor === '' ? {} : { actor }),
})

function logSuspect(log: Logger, event: EventOf<'worker_suspected'> | EventOf<'worker_cleared'>): void {
  const fields = { provider: event.providerId, reason: event.reason }
  if (event.kind === 'worker_suspected') log.warn({ ...fields, worker: event.to }, 'a worker fails alone')
  else log.info({ ...fields, worker: event.from }, 'a worker no longer fails alone')
}

const failuresOf = (snapshot: StoredSnapshot) => ({
  consecutiveFailures: snapshot.consecutiveFailures,
  probeConsecutiveFailures: snapshot.probeConsecutiveFailures,
  retryAfterMs: snapshot.retryAfterMs,
})
