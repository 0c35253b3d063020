/**
 * Every field of the circuit hash, `<namespace>:{id}:circuit`: its type, and since which schema it is there. A test holds
 * the Lua (`lua/lib/fields.lua`) and `docs/keys.md` to this table, and writes both again with `-u`
 * (`npx vitest run test/unit/fields.test.ts -u`).
 *
 * A field that is absent has its default: 0 for a number, none for a text. Those that are `first` are written at
 * registration, in this order, and stay: they are what a person looks for.
 */
export interface CircuitField {
  readonly type: 'number' | 'text'
  readonly meaning: string
  readonly first?: true
  readonly since: number
}

export const CIRCUIT_FIELDS = {
  state: {
    type: 'text',
    first: true,
    since: 2,
    meaning: '`closed`, `open` or `half_open`, as it was last stored',
  },
  reason: {
    type: 'text',
    first: true,
    since: 2,
    meaning: 'why the circuit is in this state, in a few words',
  },
  consecutive_failures: { type: 'number', first: true, since: 2, meaning: 'failed calls in a row' },
  opened_at_ms: { type: 'number', first: true, since: 2, meaning: 'when the circuit opened; 0 while closed' },
  retry_at_ms: {
    type: 'number',
    first: true,
    since: 2,
    meaning: 'when trials begin; 0 while the circuit is not open, or when only a reset closes it',
  },
  generation: { type: 'number', first: true, since: 2, meaning: 'grows at every transition' },
  version: {
    type: 'number',
    first: true,
    since: 2,
    meaning: 'grows whenever workers must learn something',
  },
  last_failure: {
    type: 'text',
    since: 2,
    meaning: 'the outcome that opened it, with its detail: `unhealthy (HTTP 503)`',
  },
  state_since_ms: { type: 'number', since: 2, meaning: 'when the state last changed' },
  cooldown_ms: { type: 'number', since: 2, meaning: 'the cooldown in force, without its jitter' },
  ramp_until_ms: {
    type: 'number',
    since: 2,
    meaning: 'when the ramp after the last closing ends; the cooldown in force stays until then',
  },
  consecutive_successes: { type: 'number', since: 2, meaning: 'successful trials in a row' },
  probe_consecutive_failures: { type: 'number', since: 2, meaning: 'failed probes in a row' },
  failing_batches: {
    type: 'number',
    since: 2,
    meaning: 'under backpressure: batches in a row that ended in a failure',
  },
  judged_by: {
    type: 'text',
    since: 2,
    meaning:
      'a copy of the settings of the rate rules and the quorum, which each batch needs: `rateWindowMs`, `quorum`, `quorumGraceMs`, `failureRate` and `degradedRate` in ten-thousandths, `minimumCalls`; absent while all are off',
  },
  outage_since_ms: {
    type: 'number',
    since: 2,
    meaning: 'when this outage began: the first opening since the circuit was last closed',
  },
  outage_reason: {
    type: 'text',
    since: 2,
    meaning: 'why the circuit opened first in this outage, in a few words',
  },
  outage_failure: { type: 'text', since: 2, meaning: 'the outcome that began this outage, with its detail' },
  outage_by: { type: 'text', since: 2, meaning: 'what began this outage: `rule` or `hand`' },
  outage_trials: { type: 'number', since: 2, meaning: 'trials that failed in this outage' },
  outage_doomed: { type: 'number', since: 2, meaning: 'outcomes that failed in this outage' },
  opened_total: { type: 'number', since: 2, meaning: 'how often the circuit opened since registration' },
  half_opened_total: {
    type: 'number',
    since: 2,
    meaning: 'how often it became half-open since registration',
  },
  closed_total: { type: 'number', since: 2, meaning: 'how often trials closed it since registration' },
  reset_total: { type: 'number', since: 2, meaning: 'how often it was reset by hand since registration' },
  open_ms_total: {
    type: 'number',
    since: 2,
    meaning: 'how long it was not closed since registration, up to its last transition',
  },
  throttled_until_ms: {
    type: 'number',
    since: 2,
    meaning: 'when the pause that the provider asked for ends',
  },
  mark: { type: 'text', since: 2, meaning: '`unhealthy`, `degraded` or `terminated`' },
  mark_reason: { type: 'text', since: 2, meaning: 'why the mark was set' },
  mark_actor: { type: 'text', since: 2, meaning: 'the person or program that set the mark' },
  mark_until_ms: { type: 'number', since: 2, meaning: 'when the mark ends by itself; 0: never' },
  mark_version: { type: 'number', since: 2, meaning: 'the version at which the mark last changed' },
  applied: { type: 'number', since: 2, meaning: 'outcomes applied since registration' },
  client_errors: { type: 'number', since: 2, meaning: 'client errors of the present stretch of one window' },
  client_errors_before: { type: 'number', since: 2, meaning: 'client errors of the stretch before' },
  client_errors_since_ms: {
    type: 'number',
    since: 2,
    meaning: 'when the present stretch of client errors began',
  },
  last_client_error: { type: 'text', since: 2, meaning: 'detail of the last client error: `HTTP 401`' },
  ignored: {
    type: 'number',
    since: 2,
    meaning: 'ignored calls of the present stretch of one window',
  },
  ignored_before: { type: 'number', since: 2, meaning: 'ignored calls of the stretch before' },
  ignored_since_ms: { type: 'number', since: 2, meaning: 'when the present stretch of ignored calls began' },
  last_ignored: { type: 'text', since: 2, meaning: 'why the last ignored call was ignored: `aborted`' },
  history_total: { type: 'number', since: 2, meaning: 'outcomes in the history' },
  history_healthy: { type: 'number', since: 2, meaning: 'outcomes in the history that were healthy' },
  history_failed: { type: 'number', since: 2, meaning: 'outcomes in the history that failed' },
  history_newest: { type: 'text', since: 2, meaning: 'the newest member of the history' },
  history_newest_at_ms: { type: 'number', since: 2, meaning: 'the time of the newest member of the history' },
  history_oldest_at_ms: {
    type: 'number',
    since: 2,
    meaning: 'a time that no run of the history is older than',
  },
  history_coalesced_to_ms: {
    type: 'number',
    since: 2,
    meaning: 'the time up to which the history is coalesced',
  },
  next_slot_us: {
    type: 'number',
    since: 2,
    meaning: 'backpressure: the end of the row of reserved slots',
  },
  last_probe_status: { type: 'text', since: 2, meaning: 'the last result of a probe' },
  last_probe_detail: { type: 'text', since: 2, meaning: 'detail of the last result of a probe' },
  last_probe_at_ms: { type: 'number', since: 2, meaning: 'when the last probe with a result ended' },
  probe_awaited_since_ms: {
    type: 'number',
    since: 2,
    meaning:
      'the settings or a mark last changed then: a result is awaited since this time, or since the last result',
  },
  probe_overdue_at_ms: { type: 'number', since: 2, meaning: 'when `probe_overdue` was announced' },
  probe_started_at_ms: { type: 'number', since: 2, meaning: 'when the last probe began' },
  probe_until_ms: { type: 'number', since: 2, meaning: 'until when the last probe may still be under way' },
  probe_down: { type: 'text', since: 2, meaning: '`true`: the provider counts as down by its probes' },
  probe_contrary_streak: {
    type: 'number',
    since: 2,
    meaning: 'probe results in a row that contradict `probe_down`',
  },
  heartbeat_at_ms: { type: 'number', since: 2, meaning: 'when the provider last reported by itself' },
  heartbeat_progress: {
    type: 'number',
    since: 2,
    meaning: 'how far the provider had come, as it last reported',
  },
  heartbeat_progress_at_ms: { type: 'number', since: 2, meaning: 'when `heartbeat_progress` last changed' },
  viewed_since_ms: {
    type: 'number',
    since: 2,
    meaning: 'since when somebody looks at the calls of each worker',
  },
  viewed_until_ms: {
    type: 'number',
    since: 2,
    meaning: 'until when batches count the calls of each worker, unless somebody looks again',
  },
  last_now_ms: { type: 'number', since: 2, meaning: 'the time of the last write: time never falls below it' },
  clock_offset_ms: { type: 'number', since: 2, meaning: "by how much Redis's clock has stepped back" },
} as const satisfies Readonly<Record<string, CircuitField>>
