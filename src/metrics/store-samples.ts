import { CIRCUIT_STATES, HEALTH_STATUSES, MARKS } from '../model/words.js'
import type { Settings } from '../model/settings.js'
import type { ProviderReading } from './provider-reading.js'
import type { MetricName } from './metric-table.js'
import type { Labels, Samples } from './samples.js'

/** Shares of fewer outcomes say little; of the setting where the version has one. */
const MINIMUM_CALLS = 10

type Add = (name: MetricName, labels: Labels, value: number | null) => void

/** What the store says of one provider. */
export function addProvider(samples: Samples, reading: ProviderReading): void {
  const add: Add = (name, labels, value) => {
    if (value !== null) samples.ofProvider(name, reading.id, labels, value)
  }
  addStates(add, reading)
  addCounters(add, reading)
  addWindow(add, reading)
  addTimes(add, reading)
}

function addStates(add: Add, { snapshot, settings, fresh }: ProviderReading): void {
  const { state, health, mark, stale, probeOverdueAt, enforce } = snapshot
  for (const one of CIRCUIT_STATES) add('busbar_circuit_state', { state: one }, Number(state === one))
  for (const one of HEALTH_STATUSES) add('busbar_provider_health', { health: one }, Number(health === one))
  for (const one of MARKS) add('busbar_mark_active', { mark: one }, Number(mark === one))
  const { probe } = settings
  const about = { group: groupOf(settings), probe_kind: probe?.kind ?? '', enforced: String(enforce) }
  add('busbar_provider_info', about, 1)
  // A snapshot that is not fresh knows of a silence only once it was announced.
  const overdue = probeOverdueAt !== null || (fresh && stale)
  if (probe !== undefined) add('busbar_probe_overdue', {}, Number(overdue))
  add('busbar_suspect_domains', {}, suspectDomains(snapshot))
}

function addCounters(add: Add, { snapshot }: ProviderReading): void {
  add('busbar_transitions_total', { kind: 'opened' }, snapshot.openedTotal)
  add('busbar_transitions_total', { kind: 'half_opened' }, snapshot.halfOpenedTotal)
  add('busbar_transitions_total', { kind: 'closed' }, snapshot.closedTotal)
  add('busbar_transitions_total', { kind: 'reset' }, snapshot.resetTotal)
  add('busbar_open_seconds_total', {}, snapshot.openMsTotal / 1_000)
  add('busbar_outcomes_applied_total', {}, snapshot.applied)
}

function addWindow(add: Add, { snapshot, settings }: ProviderReading): void {
  const { historyTotal: total, historyHealthy, historyFailed } = snapshot
  add('busbar_window_calls', {}, total)
  if (total >= minimumCalls(settings)) {
    add('busbar_window_failure_ratio', {}, historyFailed / total)
    add('busbar_window_degraded_ratio', {}, (total - historyHealthy - historyFailed) / total)
  }
  add('busbar_consecutive_failures', { origin: 'call' }, snapshot.consecutiveFailures)
  add('busbar_consecutive_failures', { origin: 'probe' }, snapshot.probeConsecutiveFailures)
}

/** Absent where there is no such moment. */
function addTimes(add: Add, { snapshot }: ProviderReading): void {
  const { state, retryAfterMs, throttledForMs, lastProbeAt, at } = snapshot
  const retryAt = state === 'open' && retryAfterMs !== null ? (at + retryAfterMs) / 1_000 : null
  add('busbar_retry_at_timestamp_seconds', {}, retryAt)
  const until = throttledForMs > 0 ? (at + throttledForMs) / 1_000 : null
  add('busbar_throttled_until_timestamp_seconds', {}, until)
  add('busbar_last_probe_timestamp_seconds', {}, lastProbeAt === null ? null : lastProbeAt / 1_000)
}

/** Of the providers that are known here. */
export function addGroups(samples: Samples, readings: Iterable<ProviderReading>): void {
  const groups = new Map<string, { members: number; admissible: number }>()
  for (const { settings, snapshot } of readings) {
    const name = groupOf(settings)
    const group = groups.get(name) ?? { members: 0, admissible: 0 }
    group.members += 1
    group.admissible += Number(!snapshot.enforce || snapshot.blockedBy.length === 0)
    groups.set(name, group)
  }
  groups.delete('')
  for (const [group, { members, admissible }] of groups) {
    samples.set('busbar_group_members', { group }, members)
    samples.set('busbar_group_admissible', { group }, admissible)
  }
}

const groupOf = (settings: Settings): string => {
  const group: unknown = Reflect.get(settings, 'group')
  return typeof group === 'string' ? group : ''
}

const minimumCalls = ({ breaker }: Settings): number => {
  const minimum: unknown = Reflect.get(breaker, 'minimumCalls')
  return typeof minimum === 'number' && minimum > 0 ? minimum : MINIMUM_CALLS
}

/** Null while no quorum is judged by. */
function suspectDomains(snapshot: object): number | null {
  const suspects: unknown = Reflect.get(snapshot, 'suspects')
  if (!Array.isArray(suspects)) return null
  return new Set(suspects.map((suspect: { readonly domain?: unknown }) => suspect.domain)).size
}
