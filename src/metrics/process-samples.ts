import { CALL_RESULTS, type ProviderMeter } from '../client/shared/provider-meter.js'
import type { Tally } from '../client/shared/tally.js'
import { HEALTH_STATUSES, KEY_SCHEMA, OUTCOMES } from '../model/words.js'
import { packageVersion } from '../package/version.js'
import type { MetricsSource } from './metrics-source.js'
import { METRICS, type MetricName } from './metric-table.js'
import type { Samples } from './samples.js'

/** What one process has counted of one provider. */
export function addCounted(samples: Samples, id: string, meter: ProviderMeter): void {
  const add = samples.ofProvider.bind(samples)
  for (const outcome of OUTCOMES) {
    const count = outcome === 'healthy' ? meter.healthy : meter.outcomes[outcome]
    add('busbar_calls_total', id, { outcome }, count)
  }
  for (const result of CALL_RESULTS) {
    const durations = meter.durations.get(result)
    if (durations !== undefined)
      samples.histogramOfProvider('busbar_call_duration_seconds', id, { result }, durations)
  }
  for (const outcome of HEALTH_STATUSES)
    if (meter.probes[outcome] > 0) add('busbar_probes_total', id, { outcome }, meter.probes[outcome])
  for (const [name, tally] of [
    ['busbar_refusals_total', meter.refusals],
    ['busbar_would_refuse_total', meter.wouldRefuse],
  ] as const)
    for (const { words, count } of tally.entries()) add(name, id, { code: words[0] ?? '' }, count)
  for (const { words, count } of meter.deferredJobs.entries())
    add('busbar_deferred_jobs_total', id, { queue: words[0] ?? '' }, count)
  for (const { words, count } of meter.failovers.entries())
    samples.failovers(words[0] ?? '', id, words[1] ?? '', count)
  addDecisions(samples, id, meter)
}

/** Calls that a closed circuit admitted on the spot are counted apart, so that each costs one addition. */
function addDecisions(samples: Samples, id: string, meter: ProviderMeter): void {
  const counts = new Map([['cache true', meter.admittedByCache]])
  for (const { words, count } of meter.decisions.entries()) {
    const key = words.join(' ')
    counts.set(key, (counts.get(key) ?? 0) + count)
  }
  for (const [key, count] of counts) {
    const [source = '', admitted = ''] = key.split(' ')
    samples.ofProvider('busbar_decisions_total', id, { source, admitted }, count)
  }
}

/** What one process counts that is of no single provider. */
export function addProcess(samples: Samples, source: MetricsSource): void {
  const { meters, backlog } = source
  samples.set('busbar_store_up', {}, Number(source.storeUp))
  samples.set('busbar_outbox_runs', {}, backlog.runs)
  samples.set('busbar_outbox_oldest_seconds', {}, backlog.oldestMs / 1_000)
  samples.set('busbar_outcomes_lost_total', {}, source.outcomesLost)
  samples.set('busbar_build_info', { version: packageVersion(), schema: KEY_SCHEMA }, 1)
  for (const [script, durations] of meters.commands.entries())
    samples.histogram('busbar_store_command_duration_seconds', { script }, durations)
  for (const [kind, durations] of meters.probeDurations.entries())
    samples.histogram('busbar_probe_duration_seconds', { kind }, durations)
  samples.histogram('busbar_probe_lag_seconds', {}, meters.probeLag)
  samples.histogram('busbar_propagation_seconds', {}, meters.propagation)
  addTally(samples, 'busbar_probes_discarded_total', meters.discarded)
  addTally(samples, 'busbar_alerts_total', meters.alerts)
}

/** The words of each count are the values of the metric's labels, in their order. */
function addTally(samples: Samples, name: MetricName, tally: Tally): void {
  const { labels } = METRICS[name]
  for (const { words, count } of tally.entries())
    samples.set(name, Object.fromEntries(labels.map((label, i) => [label, words[i] ?? ''])), count)
}
