import type { ProviderEvent } from '../index.js'

/** An event in a list. Re-openings of one outage are one entry: the last, with their number. */
export interface ListedEvent {
  readonly event: ProviderEvent
  /** The number of re-openings, the first of them at `since`. */
  readonly reopened?: { readonly times: number; readonly since: number }
}

/** Kinds of events in a run of failed trials, which ends when another event moves the circuit. */
interface Run {
  readonly reopenings: ProviderEvent[]
  readonly steps: ProviderEvent[]
  halfOpened: ProviderEvent | undefined
}

/** `events`, oldest first. Several re-openings of one outage, and the steps to half-open before them, become one. */
export function foldReopenings(events: readonly ProviderEvent[]): ListedEvent[] {
  const runs = new Map<string, Run>()
  const hidden = new Set<ProviderEvent>()
  const folded = new Map<ProviderEvent, Required<ListedEvent>['reopened']>()
  const end = (providerId: string) => {
    const { reopenings = [], steps = [] } = runs.get(providerId) ?? {}
    runs.delete(providerId)
    const [first, last] = [reopenings[0], reopenings.at(-1)]
    if (first === undefined || last === undefined || first === last) return
    for (const event of [...steps, ...reopenings]) if (event !== last) hidden.add(event)
    folded.set(last, { times: reopenings.length, since: first.at })
  }
  for (const event of events) {
    const run = runs.get(event.providerId) ?? { reopenings: [], steps: [], halfOpened: undefined }
    if (event.kind === 'half_opened') run.halfOpened = event
    else if (event.kind === 'opened' && event.from === 'half_open' && event.actor === '') {
      run.reopenings.push(event)
      if (run.halfOpened !== undefined) run.steps.push(run.halfOpened)
      run.halfOpened = undefined
    } else {
      if (ENDS.has(event.kind)) end(event.providerId)
      continue
    }
    runs.set(event.providerId, run)
  }
  for (const id of [...runs.keys()]) end(id)
  return events.flatMap((event) => {
    const reopened = folded.get(event)
    return hidden.has(event) ? [] : [reopened === undefined ? { event } : { event, reopened }]
  })
}

const ENDS: ReadonlySet<string> = new Set(['closed', 'reset', 'registered', 'removed'])
