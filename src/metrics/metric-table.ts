/**
 * Every metric, in the order of the text. `from`: `store`: the same from every process, so `max by` it; `process`: what one
 * process counts, so `sum by` it. `rest`: how the gauges of providers beyond `maxProviders` become one series; counters are
 * added up. A test holds docs/metrics.md, deploy/alerts.yml and deploy/grafana.json to this table.
 */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly from: 'store' | 'process'
  readonly labels: readonly string[]
  readonly help: string
  readonly rest?: 'max' | 'min' | 'sum'
}

type Form = Omit<MetricDefinition, 'labels' | 'help'>

const define =
  (form: Form) =>
  (help: string, ...labels: readonly string[]): MetricDefinition => ({ ...form, labels, help })

const state = define({ type: 'gauge', from: 'store', rest: 'max' })
const added = define({ type: 'gauge', from: 'store', rest: 'sum' })
const earliest = define({ type: 'gauge', from: 'store', rest: 'min' })
const storeCounter = define({ type: 'counter', from: 'store' })
const counter = define({ type: 'counter', from: 'process' })
const histogram = define({ type: 'histogram', from: 'process' })
const gauge = define({ type: 'gauge', from: 'process', rest: 'max' })

const P = 'provider'

export const METRICS = {
  busbar_circuit_state: state('1 for the state that the circuit is in, 0 for the others.', P, 'state'),
  busbar_provider_health: state('1 for the health of the provider, 0 for the others.', P, 'health'),
  busbar_provider_info: state(
    'Always 1; its labels say how it is set up.',
    P,
    'group',
    'probe_kind',
    'enforced',
  ),
  busbar_transitions_total: storeCounter('Transitions of the circuit.', P, 'kind'),
  busbar_open_seconds_total: storeCounter('Time in which the circuit was open or half-open.', P),
  busbar_outcomes_applied_total: storeCounter('Outcomes that Redis has applied.', P),
  busbar_window_calls: added('Outcomes in the window.', P),
  busbar_window_failure_ratio: state('Failed share of the outcomes in the window.', P),
  busbar_window_degraded_ratio: state('Degraded share of the outcomes in the window.', P),
  busbar_consecutive_failures: state('Failures in a row.', P, 'origin'),
  busbar_retry_at_timestamp_seconds: state('When trials of an open circuit begin.', P),
  busbar_throttled_until_timestamp_seconds: state('When the pause that the provider asked for ends.', P),
  busbar_last_probe_timestamp_seconds: earliest('When the last health check with a result ended.', P),
  busbar_mark_active: state('1 while an operator or a program has marked it so.', P, 'mark'),
  busbar_probe_overdue: state('1 when the results of its health checks stay away.', P),
  busbar_suspect_domains: state('Failure domains that fail alone.', P),
  busbar_group_admissible: state('Members of the group that would admit a call.', 'group'),
  busbar_group_members: state('Members of the group.', 'group'),
  busbar_calls_total: counter('Calls that ended.', P, 'outcome'),
  busbar_call_duration_seconds: histogram('How long calls took.', P, 'result'),
  busbar_refusals_total: counter('Calls that were refused.', P, 'code'),
  busbar_would_refuse_total: counter('Calls that were admitted because enforce is false.', P, 'code'),
  busbar_decisions_total: counter('Decisions about calls, by where they came from.', 'source', 'admitted'),
  busbar_failovers_total: counter('Calls that went to another member of their group.', 'group', 'from', 'to'),
  busbar_deferred_jobs_total: counter('Jobs that were put off while a circuit was open.', 'queue', P),
  busbar_probes_total: counter('Health checks with a result.', P, 'outcome'),
  busbar_probe_duration_seconds: histogram('How long health checks took.', 'kind'),
  busbar_probe_lag_seconds: histogram('How long health checks waited for a worker.'),
  busbar_probes_discarded_total: counter('Health checks that this worker could not make.', 'reason'),
  busbar_alerts_total: counter(
    'Attempts to deliver a message of alerts, and messages that were lost.',
    'hook',
    'result',
  ),
  busbar_store_up: gauge('1 while Redis answers this process.'),
  busbar_store_command_duration_seconds: histogram('How long commands to Redis took.', 'script'),
  busbar_outbox_runs: gauge('Runs of outcomes that Redis has not applied yet.'),
  busbar_outbox_oldest_seconds: gauge('Age of the oldest of them.'),
  busbar_outcomes_lost_total: counter('Outcomes that could not be written.'),
  busbar_propagation_seconds: histogram('How long changes took from Redis to this process.'),
  busbar_build_info: gauge('Always 1.', 'version', 'schema'),
} as const satisfies Readonly<Record<string, MetricDefinition>>

export type MetricName = keyof typeof METRICS

export const METRIC_NAMES: readonly MetricName[] = Object.keys(METRICS).filter(isMetricName)

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}
