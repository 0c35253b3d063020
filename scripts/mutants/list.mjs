// The faults that scripts/mutants.mjs plants: each says what it breaks, and the edits that break it.

const one = (why, file, find, replace, short = false) => ({ why, short, edits: [{ file, find, replace }] })
/** Not for random sequences: they are too short, or do not go there. */
const byContract = (...fault) => ({ ...one(...fault), by: 'contract' })
const essential = (why, file, find, replace) => one(why, file, find, replace, true)

const CIRCUIT = 'lib/circuit.lua'
const BREAKER = 'lib/breaker.lua'
const PROVIDER = 'lib/provider.lua'
const ADMISSION = 'lib/admission.lua'
const TRIALS = 'lib/trials.lua'
const HISTORY = 'lib/history.lua'
const UPKEEP = 'lib/upkeep.lua'
const SNAPSHOT = 'lib/snapshot.lua'
const EVERYDAY = 'lib/everyday.lua'
const BATCHES = 'lib/batches.lua'
const REGISTER = 'lib/register.lua'
const LOAD = 'lib/load.lua'
const OVERDUE = 'lib/overdue.lua'
const RECORD = 'record.lua'

const circuit = [
  essential(
    'half-open begins one ms after retry_at',
    CIRCUIT,
    'now >= circuit.retry_at_ms',
    'now > circuit.retry_at_ms',
  ),
  one('a mark holds one ms too long', CIRCUIT, 'now >= circuit.mark_until_ms', 'now > circuit.mark_until_ms'),
  essential(
    'a clock that stepped back is not made up for',
    'lib/time.lua',
    'state.clock_offset_ms = state.clock_offset_ms + state.last_now_ms - now',
    'state.clock_offset_ms = state.clock_offset_ms',
  ),
  one('numbers may fall below the clock', CIRCUIT, 'math.max((stored or 0) + 1, now)', '(stored or 0) + 1'),
  one('numbers may repeat', CIRCUIT, 'math.max((stored or 0) + 1, now)', 'math.max(stored or 0, now)'),
  essential(
    'a transition leaves the run of successes',
    PROVIDER,
    '  circuit.consecutive_successes = 0\n',
    '',
  ),
  essential('a transition leaves the leases', PROVIDER, "  redis.call('DEL', provider.keys.trials)\n", ''),
  one(
    'a transition keeps the generation',
    PROVIDER,
    '  circuit.generation = next_number(circuit.generation, provider.now)\n',
    '',
  ),
]

const breaker = [
  essential('opens one failure late', BREAKER, 'run.count < missing', 'run.count <= missing'),
  one(
    'opens as if no failure came before this batch',
    BREAKER,
    'math.max(1, provider.settings.failure_threshold - circuit[field])',
    'provider.settings.failure_threshold',
  ),
  essential(
    'one success closes, whatever successThreshold says',
    BREAKER,
    'if n == missing then',
    'if n >= 1 then',
  ),
  essential(
    'a result of an older generation counts',
    BREAKER,
    'if run.generation ~= circuit.generation then',
    'if false then',
  ),
  essential(
    'a success leaves the run of failures',
    BREAKER,
    '    circuit[field] = 0\n',
    '    circuit[field] = circuit[field]\n',
  ),
  {
    why: 'a failure leaves the run of successes',
    edits: [
      { file: BREAKER, find: '    circuit.consecutive_successes = 0\n', replace: '' },
      {
        file: PROVIDER,
        find: '  circuit.consecutive_successes = 0\n',
        replace: "  if to ~= 'open' then\n    circuit.consecutive_successes = 0\n  end\n",
      },
    ],
  },
  one(
    'a failed probe counts as a failed call',
    BREAKER,
    "return run.origin == 'probe' and 'probe_consecutive_failures' or 'consecutive_failures'",
    "return 'consecutive_failures'",
  ),
  essential('closing leaves the run of failures', BREAKER, '  circuit.consecutive_failures = 0\n', ''),
  one('closing leaves the run of failed probes', BREAKER, '  circuit.probe_consecutive_failures = 0\n', ''),
  one('closing leaves the grown cooldown', BREAKER, '  circuit.cooldown_ms = 0\n', ''),
  one(
    'opening zeroes the run of failures',
    BREAKER,
    "  transition(provider, 'opened', 'open', reason)\n",
    "  transition(provider, 'opened', 'open', reason)\n  circuit.consecutive_failures = 0\n",
  ),
  one(
    'a re-opening is timed from the first opening',
    BREAKER,
    '  circuit.opened_at_ms = now\n  circuit.retry_at_ms = now +',
    '  circuit.opened_at_ms = circuit.opened_at_ms or now\n  circuit.retry_at_ms = circuit.opened_at_ms +',
  ),
  one('the cooldown grows beyond its limit', BREAKER, ', settings.max_cooldown_ms)', ', 1e12)'),
  essential(
    'an outcome in open may close or re-open',
    BREAKER,
    "elseif state == 'open' then",
    'elseif false then',
  ),
  one(
    'a whole batch counts in the half-open that its first outcome began',
    BREAKER,
    'enter_half_open(provider) and 1 or run.count',
    'enter_half_open(provider) and run.count or run.count',
  ),
  one(
    'a probe without a lease decides in half-open',
    BREAKER,
    "elseif probing and run.token == '' then",
    'elseif false then',
  ),
  byContract(
    'a shorter pause shortens the one in force',
    BREAKER,
    'if until_ms > provider.circuit.throttled_until_ms then',
    'if until_ms ~= provider.circuit.throttled_until_ms then',
  ),
  one(
    'a probe result outlives a change of settings',
    BREAKER,
    'run.settings_revision ~= provider.settings.revision or ',
    '',
  ),
  one(
    'a probe result outlives a change of marks',
    BREAKER,
    ' or run.mark_version ~= circuit.mark_version) then',
    ') then',
  ),
]

const admission = [
  essential(
    'every caller gets a trial',
    ADMISSION,
    'if live >= settings.half_open_max_trials then',
    'if false then',
  ),
  one(
    'one trial too many',
    ADMISSION,
    'if live >= settings.half_open_max_trials then',
    'if live > settings.half_open_max_trials then',
  ),
  one(
    'a resent admission gets no second look when its lease is over',
    ADMISSION,
    'if held and held > now then',
    'if held then',
  ),
  one(
    'a lease is as long as the call, not the setting',
    ADMISSION,
    'math.max(settings.trial_lease_ms, request.min_lease_ms)',
    'settings.trial_lease_ms',
  ),
  one(
    'a refused caller renews the lease',
    ADMISSION,
    "      code = 'no_trial_free',",
    "      code = (function()\n        for _, taken in ipairs(redis.call('ZRANGE', key, 0, -1)) do\n          redis.call('ZADD', key, as_text(now + settings.trial_lease_ms), taken)\n        end\n        return 'no_trial_free'\n      end)(),",
  ),
  one(
    'a pause holds one ms too long',
    ADMISSION,
    'circuit.throttled_until_ms > now',
    'circuit.throttled_until_ms >= now',
  ),
  one('an unhealthy mark refuses nothing', ADMISSION, "if mark and mark ~= 'degraded' then", 'if false then'),
  one(
    'two probes a gap apart: the second is refused',
    ADMISSION,
    'since_ms < request.min_gap_ms',
    'since_ms <= request.min_gap_ms',
  ),
  one(
    'with enforce off calls are refused',
    ADMISSION,
    'admission.admitted = not probing and not provider.settings.enforce',
    'admission.admitted = false',
  ),
  one(
    'an admission that comes too late is granted',
    'admit.lua',
    'if now > not_after_ms then',
    'if false then',
  ),
  essential(
    'a lease still holds its slot at its deadline',
    TRIALS,
    "local alive = '(' .. as_text(provider.now)",
    'local alive = as_text(provider.now)',
  ),
  one(
    'nobody is told of a freed slot',
    TRIALS,
    "redis.call('ZREM', provider.keys.trials, token) == 1 then\n    bump_version(provider)",
    "redis.call('ZREM', provider.keys.trials, token) == 1 then",
  ),
]

const history = [
  essential(
    'a writer evicts what is exactly as old as the window',
    UPKEEP,
    "'-inf', '(' .. as_text(cutoff), 'LIMIT'",
    "'-inf', as_text(cutoff), 'LIMIT'",
  ),
  one(
    'a reader leaves out what is exactly as old as the window',
    SNAPSHOT,
    "'-inf', '(' .. as_text(cutoff))",
    "'-inf', as_text(cutoff))",
  ),
  one(
    'a writer empties a history whose newest is as old as the window',
    UPKEEP,
    'if circuit.history_newest_at_ms < cutoff then',
    'if circuit.history_newest_at_ms <= cutoff then',
  ),
  one(
    'a reader finds a history empty whose newest is as old as the window',
    SNAPSHOT,
    'circuit.history_newest_at_ms < cutoff then',
    'circuit.history_newest_at_ms <= cutoff then',
  ),
  essential('maxRecords takes whole runs', UPKEEP, 'if taken < count + 0 then', 'if false then'),
  one(
    'maxRecords takes the newest',
    UPKEEP,
    "local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')",
    "local oldest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')",
  ),
  one(
    'one record more than maxRecords',
    UPKEEP,
    'circuit.history_total - provider.settings.max_records',
    'circuit.history_total - provider.settings.max_records - 1',
  ),
  one(
    'a run grows one ms too long',
    HISTORY,
    'at - circuit.history_newest_at_ms < bucket_ms(provider.settings)',
    'at - circuit.history_newest_at_ms <= bucket_ms(provider.settings)',
  ),
  one(
    'evicted outcomes stay in the totals',
    UPKEEP,
    '    circuit.history_total = circuit.history_total - count\n',
    '',
  ),
  one(
    'degraded counts as healthy in the rate',
    HISTORY,
    "  if status == 'healthy' then\n    circuit.history_healthy",
    "  if status ~= 'unhealthy' then\n    circuit.history_healthy",
  ),
  byContract(
    'coalescing loses outcomes',
    UPKEEP,
    '    group.count = group.count + count\n',
    '    group.count = count\n',
  ),
  one(
    'the newest run is forgotten to be shorter',
    UPKEEP,
    '        circuit.history_newest = rest\n',
    '        circuit.history_newest = oldest[1]\n',
  ),
]

const everyday = [
  essential(
    'an everyday batch opens one failure late',
    'lib/everyday_batch.lua',
    'failures >= threshold',
    'failures > threshold',
  ),
  one(
    'an everyday batch of an older generation counts',
    'lib/everyday_batch.lua',
    ' or run_generation ~= generation or batch',
    ' or batch',
  ),
  one(
    'an everyday batch leaves the run of failures',
    'record.lua',
    'if failures_now ~= failures + 0 then',
    'if failures_now > failures + 0 then',
  ),
  one('an everyday batch sent twice counts twice', 'record.lua', 'sequence > last', 'sequence >= last'),
  one(
    'under pressure the end of a batch says nothing',
    'record.lua',
    'if count and wait_ms > flush_interval_ms then',
    'if false then',
  ),
  one(
    'the time of a new run is forgotten',
    'record.lua',
    "'history_newest_at_ms', circuit.history_newest_at_ms,",
    "'history_newest_at_ms', newest_at_ms,",
  ),
  one('an everyday admission overlooks a mark', EVERYDAY, " or raw[2] ~= ''", ''),
  one(
    'an everyday admission overlooks that the caller knows less',
    EVERYDAY,
    ' or raw[3] + 0 ~= caller.known_version',
    '',
  ),
  one('an everyday call goes back in time', EVERYDAY, 'if now < raw[4] + 0 then', 'if false then'),
  one('an everyday admission overlooks a pause', 'admit.lua', ' and throttled_until_ms + 0 <= now', ''),
  one('an everyday admission comes too late and is granted', 'admit.lua', ' and now <= not_after_ms', ''),
  one('an everyday probe leaves no trace', 'admit.lua', " and origin == 'call'", ''),
]

const rest = [
  one('a batch sent twice counts twice', BATCHES, 'sequence <= last', 'sequence < last'),
  one('a resent batch that the book forgot decides', 'record.lua', '    run.generation = 0\n', ''),
  one('a reset leaves the pause', 'reset.lua', 'provider.circuit.throttled_until_ms = 0\n', ''),
  one(
    'a trip without an end keeps an old one',
    'trip.lua',
    'for_ms and now + for_ms',
    'for_ms and now + for_ms or provider.circuit.retry_at_ms',
  ),
  byContract(
    'after a wipe an open circuit is closed',
    REGISTER,
    "if known.state ~= 'closed' then",
    'if false then',
  ),
  byContract('after a wipe a mark is gone', REGISTER, 'if known.mark ~= cjson.null then', 'if false then'),
  byContract(
    'code replaces what an operator applied',
    REGISTER,
    "if about.pinned and operator == '' then",
    'if false then',
  ),
  byContract(
    'what is released stays pinned',
    REGISTER,
    "  redis.call('HDEL', provider.keys.config, 'pinned')\n",
    '',
  ),
  byContract(
    'a release is no new revision',
    REGISTER,
    "  redis.call('HINCRBY', provider.keys.config, 'revision', 1)\n",
    '',
  ),
  one('identical settings are a change', REGISTER, '  if from == to then\n    return\n  end\n', ''),
]

const outages = [
  one('a batch that runs late decides', RECORD, 'if now > not_after_ms then', 'if false then'),
  one('an everyday batch that runs late decides', RECORD, ' and now <= not_after_ms', ''),
  one('an everyday batch overlooks an outage', RECORD, ' and not lost_ms_ago', ''),
  essential(
    'failures from before an outage go on',
    BREAKER,
    'if provider.stored.last_now_ms < lost_at_ms then',
    'if false then',
  ),
  one(
    'failures are forgotten though others went on',
    BREAKER,
    'stored.last_now_ms < lost_at_ms',
    'stored.last_now_ms <= lost_at_ms',
  ),
  one(
    'the run of failed probes outlives an outage',
    BREAKER,
    '    provider.circuit.consecutive_failures = 0\n    provider.circuit.probe_consecutive_failures = 0\n',
    '    provider.circuit.consecutive_failures = 0\n',
  ),
  one('what waited enters the history as of now', HISTORY, 'at = math.max(at - age_ms,', 'at = math.max(at,'),
  one('an everyday probe overlooks its age', 'lib/everyday_probe.lua', ' or age_ms then', ' then'),
  one('an everyday batch overlooks its age', 'lib/everyday_batch.lua', ' or batch[i][10] then', ' then'),
  one(
    'what waited enters before the newest',
    HISTORY,
    'circuit.history_newest and circuit.history_newest_at_ms or 0',
    '0',
  ),
]

const load = [
  essential('the row of slots does not grow', LOAD, 'math.max(next_slot_us, now_us) + step', 'now_us + step'),
  byContract(
    'a duplicate takes a slot',
    RECORD,
    "if seen == 'duplicate' then\n",
    "if seen == 'duplicate' then\n  provider.circuit.next_slot_us = slot_us\n",
  ),
  one(
    'suspicion tells everybody again and again',
    BREAKER,
    'circuit.failing_batches == provider',
    'circuit.failing_batches >= provider',
  ),
  byContract(
    'suspicion without load',
    RECORD,
    "seen == 'new' and wait_ms > flush_interval_ms then",
    "seen == 'new' then",
  ),
]

const overdue = [
  one('a silence is announced again and again', 'overdue.lua', 'not circuit.probe_overdue_at_ms and ', ''),
  one(
    'a silence is announced one ms late',
    'overdue.lua',
    'silent_ms >= overdue_ms',
    'silent_ms > overdue_ms',
  ),
  one(
    'a silence is announced behind a mark that ends the probes',
    'overdue.lua',
    ' and not ends_probes(circuit.mark)',
    '',
  ),
  byContract(
    'a silence is announced where nothing is to be probed',
    'overdue.lua',
    "redis.call('HEXISTS', keys.config, 'probe') == 1",
    'true',
  ),
  one('a result does not end the silence', BREAKER, '    circuit.probe_overdue_at_ms = nil\n', ''),
  one(
    'nobody hears that a silence is over',
    BREAKER,
    '    circuit.probe_overdue_at_ms = nil\n    bump_version(provider)\n',
    '    circuit.probe_overdue_at_ms = nil\n',
  ),
  one(
    'an everyday probe overlooks a silence that was announced',
    'lib/everyday_probe.lua',
    " or (overdue_at_ms and overdue_at_ms ~= '')",
    '',
  ),
  one('a pause is a silence', OVERDUE, 'circuit.throttled_until_ms, ', ''),
  one('a mark that ran out was a silence', OVERDUE, ', marked_until_ms)', ')'),
  one(
    'other settings are awaited since the old ones',
    REGISTER,
    '  await_probe(provider.circuit, provider.now)\n',
    '',
  ),
  one(
    "a state began when it was stored, not with the cooldown's end",
    SNAPSHOT,
    'cooled and circuit.retry_at_ms or ',
    '',
  ),
]

export const mutants = [
  ...circuit,
  ...breaker,
  ...admission,
  ...history,
  ...everyday,
  ...outages,
  ...load,
  ...overdue,
  ...rest,
]
