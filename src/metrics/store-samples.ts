import { CIRCUIT_STATES, HEALTH_STATUSES, MARKS } from '../model/words.js'
import type { Settings } from '../model/settings.js'
import type { Snapshot } from '../client/sync/snapshot.js'
import type { ProviderReading } from './provider-reading.js'
import type { MetricName } from './metric-table.js'
import type { Labels, Samples } from './samples.js'

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
  // Nobody is suspected without a quorum.
  if (settings.breaker.quorum > 1)
    add('busbar_suspect_domains', {}, new Set(snapshot.suspects.map(({ domain }) => domain)).size)
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
  const { calls, failed, degraded } = windowOf(snapshot, settings)
  add('busbar_window_calls', {}, calls)
  if (calls >= settings.breaker.minimumCalls) {
    add('busbar_window_failure_ratio', {}, failed / calls)
    add('busbar_window_degraded_ratio', {}, degraded / calls)
  }
  add('busbar_consecutive_failures', { origin: 'call' }, snapshot.consecutiveFailures)
  add('busbar_consecutive_failures', { origin: 'probe' }, snapshot.probeConsecutiveFailures)
}

/** Calls by which the provider is judged: the rate window where a rate is set, else the history. */
function windowOf(snapshot: Snapshot, { breaker }: Settings) {
  if (breaker.failureRate !== undefined || breaker.degradedRate !== undefined) {
    const { windowCalls: calls, windowFailures: failed, windowDegraded: degraded } = snapshot
    return { calls, failed, degraded }
  }
  const { historyTotal: calls, historyHealthy, historyFailed: failed } = snapshot
  return { calls, failed, degraded: calls - historyHealthy - failed }
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

const groupOf = ({ group = '' }: Settings): string => group
