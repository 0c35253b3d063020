import type { ProviderEvent } from '../../index.js'
import { clean, formatDuration } from '../../view/format.js'
import { finding, type Finding } from './finding.js'

/** The events of a provider, oldest first, and when they were read, Redis ms. */
export interface Past {
  readonly id: string
  readonly nowMs: number
  readonly events: readonly ProviderEvent[]
}

/** How long after the last change in turn the finding is still shown, ms. */
const WINDOW_MS = 600_000
const MAX_SHOWN = 5
const CHECK = 'settings in turn'
const ADVICE =
  'Two versions of a program register it: bring all workers to one of them, or hold one by busbar apply.'

/**
 * Providers whose settings two or more workers change back and forth, as during a rolling deploy: each finding names
 * the workers. Changes by hand are no alternation.
 */
export function checkAlternation(pasts: readonly Past[]): Finding[] {
  const found = pasts.flatMap((past) => {
    const text = alternation(past)
    return text === undefined ? [] : [text]
  })
  const more = found.length - MAX_SHOWN
  const shown = found.slice(0, MAX_SHOWN).map((text) => finding('warn', CHECK, text, ADVICE))
  if (more <= 0) return shown
  return [...shown, finding('warn', CHECK, `and so it is with ${more} other providers`, ADVICE)]
}

function alternation({ id, nowMs, events }: Past): string | undefined {
  const changes = events.filter(
    ({ kind, actor, at }) => kind === 'settings_changed' && actor === '' && nowMs - at <= WINDOW_MS,
  )
  const workers = new Set<string>()
  let settings = ''
  changes.forEach((change, at) => {
    const other = saidWith(change) ?? returnedFrom(change, changes.slice(0, at))
    if (other === undefined || other === change.worker) return
    workers.add(other).add(change.worker)
    settings = namesIn(change.to)
  })
  if (workers.size === 0) return undefined
  const who = [...workers].map(clean).join(' and ')
  return `${id}: ${who} change ${settings} in turn, in the last ${formatDuration(WINDOW_MS)}`
}

/** Changes in turn are announced once a minute, in an event that names the other worker. */
const saidWith = ({ reason }: ProviderEvent): string | undefined =>
  /^alternates with the settings of (.+): \d+ changes /.exec(reason)?.[1]

/** The worker whose change this event took back. */
const returnedFrom = (
  { from, to, worker }: ProviderEvent,
  before: readonly ProviderEvent[],
): string | undefined =>
  before.findLast((other) => other.worker !== worker && other.from === to && other.to === from)?.worker

/** The names in `breaker.cooldownMs=30000 slowMs=5`, without the values, which may be long. */
const namesIn = (text: string): string =>
  [...text.matchAll(/(?:^| )((?:breaker|history)\.\w+|slowMs|probe)=/g)].map(([, name]) => name).join(', ') ||
  'settings'
