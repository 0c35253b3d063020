import type { CheckedHook } from '../config/alerts.js'
import type { Alert, AlertKind, AlertStatus } from '../model/alerts.js'
import type { ProviderEvent } from '../model/events.js'

/** Which events a hook is told of, and what each of them says. */
export class HookFilter {
  readonly #kinds: ReadonlySet<string>
  readonly #ids: RegExp | undefined
  readonly #groups: ReadonlySet<string>
  /** Whether the group of a provider must be known. */
  readonly byGroup: boolean

  constructor({ on, providers, groups }: Pick<CheckedHook, 'on' | 'providers' | 'groups'>) {
    this.#kinds = new Set(on)
    this.#ids = providers === undefined ? undefined : patternOf(providers)
    this.#groups = new Set(groups)
    this.byGroup = groups !== undefined
  }

  wantsKind(event: ProviderEvent): event is ProviderEvent & { readonly kind: AlertKind } {
    return this.#kinds.has(event.kind) && !isFailedTrial(event)
  }

  /** `group`: that of its settings; undefined where it is not known, and then it may be one of them. */
  wantsProvider(id: string, group: string | undefined): boolean {
    if (this.#ids === undefined && !this.byGroup) return true
    if (this.#ids?.test(id) === true) return true
    return this.byGroup && (group === undefined || this.#groups.has(group))
  }
}

/** The circuit was open before it: the same outage goes on. */
const isFailedTrial = ({ kind, from, actor }: ProviderEvent): boolean =>
  kind === 'opened' && from === 'half_open' && actor === ''

const patternOf = (patterns: readonly string[]): RegExp =>
  new RegExp(`^(?:${patterns.map((one) => one.replace(/[.]/g, '\\.').replaceAll('*', '.*')).join('|')})$`)

const STATUS: Readonly<Record<AlertKind, AlertStatus>> = {
  registered: 'info',
  opened: 'firing',
  half_opened: 'info',
  closed: 'resolved',
  reset: 'resolved',
  marked: 'firing',
  resumed: 'resolved',
  throttled: 'firing',
  probe_overdue: 'firing',
  worker_suspected: 'firing',
  worker_cleared: 'resolved',
  settings_changed: 'info',
}

export const statusOf = (kind: AlertKind): Alert['status'] => STATUS[kind]

/** Events of the same subject are one alert: the last of them says how it is. */
export function subjectOf({ kind, from, to }: ProviderEvent): string {
  switch (kind) {
    case 'opened':
    case 'half_opened':
    case 'closed':
    case 'reset':
      return 'circuit'
    case 'marked':
    case 'resumed':
      return 'mark'
    case 'worker_suspected':
      return `worker ${to}`
    case 'worker_cleared':
      return `worker ${from}`
    case 'registered':
    case 'throttled':
    case 'probe_overdue':
    case 'settings_changed':
    case 'removed':
      return kind
    default:
      // A kind of a later version, which no hook asks for.
      return kind satisfies never
  }
}
