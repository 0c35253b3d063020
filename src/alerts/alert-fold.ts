import type { Alert, AlertKind } from '../model/alerts.js'
import type { StreamEntry } from '../model/ports/hook-store.js'
import { toText } from '../model/text.js'
import { alertText } from '../view/alert-text.js'
import { statusOf, subjectOf, type HookFilter } from './hook-filter.js'

/** An event of a message is listed once for its subject, so a message is bounded whatever flaps. */
export const MAX_ALERTS = 50
const MAX_TEXT = 500

interface Folded {
  readonly since: number
  readonly last: StreamEntry
  readonly counts: Partial<Record<AlertKind, number>>
}

/** Makes alerts of the events of many providers, one provider after the other. */
export class AlertFold {
  readonly #filter: HookFilter
  readonly #nowMs: number
  #alerts: Alert[] = []
  #omitted = 0
  #oldestMs = Infinity
  /** Of each provider with events, the last entry of its stream that was read. */
  readonly cursors: Record<string, string> = {}

  /** `nowMs`: the time of the server. */
  constructor(filter: HookFilter, nowMs: number) {
    this.#filter = filter
    this.#nowMs = nowMs
  }

  /** Those that fire first; of the same status, the oldest first. */
  get alerts(): readonly Alert[] {
    return this.#alerts.sort(byWeight)
  }

  /** Alerts that had no room. */
  get omitted(): number {
    return this.#omitted
  }

  /** How long ago the first of the events happened, ms. */
  get ageMs(): number {
    return this.#nowMs - this.#oldestMs
  }

  /** `entries`: of one provider, oldest first. True when the hook is told of one of them. */
  add(entries: readonly StreamEntry[]): boolean {
    const subjects = new Map<string, Folded>()
    for (const found of entries) {
      const { event } = found
      if (!this.#filter.wantsKind(event)) continue
      this.#oldestMs = Math.min(this.#oldestMs, msOf(found))
      const { since = event.at, counts = {} } = subjects.get(subjectOf(event)) ?? {}
      counts[event.kind] = (counts[event.kind] ?? 0) + 1
      subjects.set(subjectOf(event), { since, counts, last: found })
    }
    const last = entries.at(-1)
    if (subjects.size === 0 || last === undefined) return false
    this.cursors[last.event.providerId] = last.entry
    for (const folded of subjects.values()) this.#put(folded)
    return true
  }

  #put({ since, last, counts }: Folded): void {
    const { event } = last
    const { providerId: provider, kind, from, to, reason, actor, worker, at } = event
    if (kind === 'removed') return // no hook asks for it
    const agoMs = this.#nowMs - msOf(last)
    const text = toText(alertText(event, { counts, since, at }, agoMs), MAX_TEXT)
    const short = { from: toText(from, MAX_TEXT), to: toText(to, MAX_TEXT) }
    const alert = {
      provider,
      kind,
      status: statusOf(kind),
      ...short,
      reason,
      actor,
      worker,
      at,
      since,
      counts,
      text,
    }
    this.#alerts.push(alert)
    if (this.#alerts.length <= MAX_ALERTS) return
    this.#alerts.sort(byWeight)
    this.#alerts.pop()
    this.#omitted += 1
  }
}

const RANK = { firing: 0, resolved: 1, info: 2 } as const
const byWeight = (a: Alert, b: Alert): number => RANK[a.status] - RANK[b.status] || a.at - b.at

/** When it was written, by the clock of the server: its entry begins with that. */
const msOf = ({ entry }: StreamEntry): number => Number(entry.split('-')[0])
