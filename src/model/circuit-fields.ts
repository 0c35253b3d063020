/**
 * Every field of the circuit hash, `<namespace>:{id}:circuit`: its type, and since which schema it is there. The Lua
 * (`lua/lib/fields.lua`) and `docs/keys.md` are held to this table by a test, which also writes them anew when told to
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
  reason: { type: 'text', first: true, since: 2, meaning: 'why, in a few words' },
  consecutive_failures: { type: 'number', first: true, since: 2, meaning: 'failed calls in a row' },
  opened_at_ms: { type: 'number', first: true, since: 2, meaning: 'when it opened; 0 while closed' },
  retry_at_ms: {
    type: 'number',
    first: true,
    since: 2,
    meaning: 'when trials begin; 0 while it is not open, or when only a reset ends it',
  },
  generation: { type: 'number', first: true, since: 2, meaning: 'grows at every transition' },
  version: {
    type: 'number',
    first: true,
    since: 2,
    meaning: 'grows whenever what workers must know changes',
  },
  last_failure: {
    type: 'text',
    since: 2,
    meaning: 'the outcome that opened it, with its detail: `unhealthy (HTTP 503)`',
  },
  state_since_ms: { type: 'number', since: 2, meaning: 'when the state last changed' },
  cooldown_ms: { type: 'number', since: 2, meaning: 'the cooldown in force, without its jitter' },
  consecutive_successes: { type: 'number', since: 2, meaning: 'successful trials in a row' },
  probe_consecutive_failures: { type: 'number', since: 2, meaning: 'failed probes in a row' },
  failing_batches: {
    type: 'number',
    since: 2,
    meaning: 'under backpressure: batches in a row that ended in a failure',
  },
  outage_since_ms: { type: 'number', since: 2, meaning: 'when it opened first since it was last closed' },
  outage_reason: { type: 'text', since: 2, meaning: 'why it did, in a few words' },
  outage_failure: { type: 'text', since: 2, meaning: 'the outcome behind that, with its detail' },
  outage_by: { type: 'text', since: 2, meaning: '`rule` or `hand`: what opened it then' },
  outage_trials: { type: 'number', since: 2, meaning: 'trials that failed since then' },
  outage_doomed: { type: 'number', since: 2, meaning: 'outcomes that failed since then' },
  throttled_until_ms: { type: 'number', since: 2, meaning: 'until when the provider asked for a pause' },
  mark: { type: 'text', since: 2, meaning: '`unhealthy`, `degraded` or `terminated`' },
  mark_reason: { type: 'text', since: 2, meaning: 'why it was marked' },
  mark_actor: { type: 'text', since: 2, meaning: 'who marked it' },
  mark_until_ms: { type: 'number', since: 2, meaning: 'when the mark ends by itself; 0: never' },
  mark_version: { type: 'number', since: 2, meaning: 'the version at which the mark last changed' },
  applied: { type: 'number', since: 2, meaning: 'outcomes applied since registration' },
  client_errors: { type: 'number', since: 2, meaning: 'client errors of the present stretch of one window' },
  client_errors_before: { type: 'number', since: 2, meaning: 'those of the stretch before it' },
  client_errors_since_ms: { type: 'number', since: 2, meaning: 'when the present stretch began' },
  last_client_error: { type: 'text', since: 2, meaning: 'what the last of them saw: `HTTP 401`' },
  history_total: { type: 'number', since: 2, meaning: 'outcomes in the history' },
  history_healthy: { type: 'number', since: 2, meaning: 'those of them that were healthy' },
  history_failed: { type: 'number', since: 2, meaning: 'those of them that failed' },
  history_newest: { type: 'text', since: 2, meaning: 'the newest member of the history' },
  history_newest_at_ms: { type: 'number', since: 2, meaning: 'its time' },
  history_oldest_at_ms: { type: 'number', since: 2, meaning: 'no run of the history is older' },
  history_coalesced_to_ms: { type: 'number', since: 2, meaning: 'up to when the history is coalesced' },
  next_slot_us: {
    type: 'number',
    since: 2,
    meaning: 'backpressure: the end of the row of reserved slots, in microseconds',
  },
  last_probe_status: { type: 'text', since: 2, meaning: 'the last result of a probe' },
  last_probe_detail: { type: 'text', since: 2, meaning: 'what it saw' },
  last_probe_at_ms: { type: 'number', since: 2, meaning: 'when it ended' },
  probe_awaited_since_ms: {
    type: 'number',
    since: 2,
    meaning:
      'when what is asked of the probes last changed: a result is awaited since then, or since the last one',
  },
  probe_overdue_at_ms: { type: 'number', since: 2, meaning: 'when `probe_overdue` was announced' },
  probe_started_at_ms: { type: 'number', since: 2, meaning: 'when the last probe began' },
  probe_until_ms: { type: 'number', since: 2, meaning: 'until when it may still be under way' },
  probe_down: { type: 'text', since: 2, meaning: '`true`: the provider counts as down by its probes' },
  probe_against: { type: 'number', since: 2, meaning: 'results in a row that say otherwise' },
  heartbeat_at_ms: { type: 'number', since: 2, meaning: 'when the provider last reported by itself' },
  heartbeat_progress: { type: 'number', since: 2, meaning: 'how far it had come, in its own units' },
  heartbeat_progress_at_ms: { type: 'number', since: 2, meaning: 'when that last changed' },
  last_now_ms: { type: 'number', since: 2, meaning: 'the time of the last write: time never falls below it' },
  clock_offset_ms: { type: 'number', since: 2, meaning: "by how much Redis's clock has stepped back" },
} as const satisfies Readonly<Record<string, CircuitField>>
