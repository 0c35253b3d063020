// The faults that scripts/mutants.mjs plants: each says what it breaks, and the edits that break it.

import { quorum, rates } from './judgement.mjs'

const one = (why, file, find, replace, short = false) => ({ why, short, edits: [{ file, find, replace }] })
/** Not for random sequences: they are too short, or do not go there. */
const byContract = (...fault) => ({ ...one(...fault), by: 'contract' })
const essential = (why, file, find, replace) => one(why, file, find, replace, true)

const CIRCUIT = 'lib/circuit.lua'
const BREAKER = 'lib/breaker.lua'
const PROVIDER = 'lib/provider.lua'
const ADMISSION = 'lib/admission.lua'
const RAMP = 'lib/ramp.lua'
const TRIALS = 'lib/trials.lua'
const HISTORY = 'lib/history.lua'
const COMPACTION = 'lib/compaction.lua'
const SNAPSHOT = 'lib/snapshot.lua'
const CLOSED = 'lib/closed.lua'
const CLOSED_PROBE = 'lib/closed_probe.lua'
const CONSECUTIVE = 'lib/trip_consecutive.lua'
const SUSPICION = 'lib/suspicion.lua'
const ADMIT = 'admit.lua'
const REGISTER = 'lib/register.lua'
const BACKPRESSURE = 'lib/backpressure.lua'
const OVERDUE = 'lib/overdue.lua'
const RECORD = 'record.lua'
const TRIP = 'lib/trip.lua'
const REPLY = 'lib/reply.lua'
const OUTCOMES = 'lib/outcomes.lua'
const RECENT_CALLS = 'lib/recent_calls.lua'
const OUTAGE = 'lib/outage.lua'
const EXPIRE = 'expire.lua'
const TOUCH = 'touch.lua'

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
    CIRCUIT,
    "  put(provider, 'consecutive_successes', 0)\n",
    '',
  ),
  essential('a transition leaves the leases', CIRCUIT, "  redis.call('DEL', provider.keys.trials)\n", ''),
  one(
    'a transition keeps the generation',
    CIRCUIT,
    "  put(provider, 'generation', next_number(circuit.generation, provider.now))\n",
    '',
  ),
]

const breaker = [
  essential('opens one failure late', CONSECUTIVE, 'failures < missing', 'failures <= missing'),
  one(
    'opens as if no failure came before this batch',
    CONSECUTIVE,
    'math.max(1, threshold - counts.in_a_row)',
    'threshold',
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
  essential('a success leaves the run of failures', BREAKER, '    put(provider, field, 0)\n', ''),
  {
    why: 'a failure leaves the run of successes',
    edits: [
      { file: BREAKER, find: "    put(provider, 'consecutive_successes', 0)\n", replace: '' },
      {
        file: CIRCUIT,
        find: "  put(provider, 'consecutive_successes', 0)\n",
        replace: "  if to ~= 'open' then\n    put(provider, 'consecutive_successes', 0)\n  end\n",
      },
    ],
  },
  one(
    'a failed probe counts as a failed call',
    BREAKER,
    "return run.origin == 'probe' and 'probe_consecutive_failures' or 'consecutive_failures'",
    "return 'consecutive_failures'",
  ),
  essential(
    'closing leaves the run of failures',
    BREAKER,
    "  transition(provider, kind, 'closed', reason, actor)\n  put(provider, 'consecutive_failures', 0)\n",
    "  transition(provider, kind, 'closed', reason, actor)\n",
  ),
  one(
    'closing leaves the run of failed probes',
    BREAKER,
    "  put(provider, 'probe_consecutive_failures', 0)\n  if kind == 'closed' then\n",
    "  if kind == 'closed' then\n",
  ),
  one('closing leaves the grown cooldown', RAMP, "    put(provider, 'cooldown_ms', 0)\n", ''),
  one('a reset leaves the grown cooldown', BREAKER, "    put(provider, 'cooldown_ms', 0)\n", ''),
  one('a reset leaves the ramp', BREAKER, "    put(provider, 'ramp_until_ms', 0)\n", ''),
  one('a reset begins a ramp', BREAKER, "  if kind == 'closed' then\n", '  if true then\n'),
  one('the ramp lasts one ms too long', RAMP, 'now >= circuit.ramp_until_ms', 'now > circuit.ramp_until_ms'),
  essential(
    'an opening in the ramp begins with the first cooldown',
    RAMP,
    "  put(provider, 'cooldown_ms', cooldown_at(provider.circuit, provider.now))\n",
    "  put(provider, 'cooldown_ms', 0)\n",
  ),
  one(
    'an opening after the ramp goes on with the grown cooldown',
    RAMP,
    "  put(provider, 'cooldown_ms', cooldown_at(provider.circuit, provider.now))\n",
    '',
  ),
  one(
    'an opening leaves the ramp',
    RAMP,
    "provider.now))\n  put(provider, 'ramp_until_ms', 0)\n",
    'provider.now))\n',
  ),
  one('a trip leaves the ramp', 'trip.lua', 'end_ramp(provider)\n', ''),
  one(
    'a snapshot shows a cooldown that the end of the ramp reset',
    SNAPSHOT,
    'cooldownMs = cooldown_at(circuit, now)',
    'cooldownMs = circuit.cooldown_ms',
  ),
  one(
    'opening zeroes the run of failures',
    BREAKER,
    "  put(provider, 'cooldown_ms', cooldown_ms)\n",
    "  put(provider, 'cooldown_ms', cooldown_ms)\n  put(provider, 'consecutive_failures', 0)\n",
  ),
  one(
    'a re-opening is timed from the first opening',
    BREAKER,
    "  put(provider, 'opened_at_ms', now)\n  put(provider, 'retry_at_ms', now + cooldown_ms",
    "  if circuit.opened_at_ms == 0 then\n    put(provider, 'opened_at_ms', now)\n  end\n  put(provider, 'retry_at_ms', circuit.opened_at_ms + cooldown_ms",
  ),
  one(
    'the cooldown grows beyond its limit',
    BREAKER,
    ", number_setting(provider, 'breaker.maxCooldownMs'))",
    ', 1e12)',
  ),
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
    'run.settings_revision ~= provider.settings.revision + 0 or ',
    '',
  ),
  one(
    'a probe result outlives a change of marks',
    BREAKER,
    ' or run.mark_version ~= circuit.mark_version then',
    ' then',
  ),
]

const admission = [
  essential('every caller gets a trial', ADMISSION, 'if live >= most then', 'if false then'),
  one('one trial too many', ADMISSION, 'if live >= most then', 'if live > most then'),
  one(
    'a resent admission gets no second look when its lease is over',
    ADMISSION,
    'if held and held > now then',
    'if held then',
  ),
  one(
    'a lease is as long as the setting, whatever the call says',
    ADMISSION,
    'local lease_ms = request.lease_ms',
    'local lease_ms = 0',
  ),
  one('a lease of no length has none', ADMISSION, 'if lease_ms == 0 then', 'if false then'),
  one(
    'a refused caller renews the lease',
    ADMISSION,
    '  if live >= most then\n',
    "  if live >= most then\n    for _, taken in ipairs(redis.call('ZRANGE', key, 0, -1)) do\n      redis.call('ZADD', key, as_text(now + 1000), taken)\n    end\n",
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
    'refused(not probing and not enforced(provider), block.code',
    'refused(false, block.code',
  ),
  one(
    'an admission that comes too late is granted',
    ADMIT,
    '-- @include lib/open_in_time',
    '-- @include lib/open',
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
    COMPACTION,
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
    COMPACTION,
    'if circuit.history_newest_at_ms + 0 < cutoff then',
    'if circuit.history_newest_at_ms + 0 <= cutoff then',
  ),
  one(
    'a reader finds a history empty whose newest is as old as the window',
    SNAPSHOT,
    'circuit.history_newest_at_ms < cutoff then',
    'circuit.history_newest_at_ms <= cutoff then',
  ),
  essential('maxRecords takes whole runs', COMPACTION, 'if taken < count + 0 then', 'if false then'),
  one(
    'maxRecords takes the newest',
    COMPACTION,
    "local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')",
    "local oldest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')",
  ),
  byContract('coalescing begins a member later', HISTORY, ' > 1000 then', ' > 1001 then'),
  one(
    'one record more than maxRecords',
    COMPACTION,
    'local excess = circuit.history_total - provider.settings.max_records',
    'local excess = circuit.history_total - provider.settings.max_records - 1',
  ),
  one(
    'a run grows one ms too long',
    HISTORY,
    'at - circuit.history_newest_at_ms < bucket_ms(provider.settings)',
    'at - circuit.history_newest_at_ms <= bucket_ms(provider.settings)',
  ),
  one(
    'stale outcomes stay in the totals',
    COMPACTION,
    'count_in_history(provider, status, -count)',
    'count_in_history(provider, status, 0)',
  ),
  one(
    'outcomes above maxRecords stay in the totals',
    COMPACTION,
    'count_in_history(provider, status, -taken)',
    'count_in_history(provider, status, 0)',
  ),
  one(
    'degraded counts as healthy in the rate',
    HISTORY,
    "if status == 'healthy' then",
    "if status ~= 'unhealthy' then",
  ),
  one(
    'evicted outcomes that were healthy count on',
    HISTORY,
    "if status == 'healthy' then",
    "if status == 'healthy' and count > 0 then",
  ),
  byContract(
    'coalescing loses outcomes',
    COMPACTION,
    '    group.count = group.count + count\n',
    '    group.count = count\n',
  ),
  one(
    'the newest run is forgotten to be shorter',
    COMPACTION,
    "put(provider, 'history_newest', rest)",
    "put(provider, 'history_newest', oldest[1])",
  ),
]

/** What nearly every call and batch takes is the same rules, with less of the circuit looked at. */
const straight = [
  essential(
    'a batch is counted past the failure that opens',
    CLOSED,
    'if find_trip(provider, counts_before(origin, outcome, failures, window), count) then',
    'if false then',
  ),
  one(
    'a batch of an older generation counts',
    CLOSED,
    ' or run_generation ~= circuit.generation then',
    ' then',
  ),
  one('a failed probe is counted like a good one', CLOSED, 'if bad or not takes', 'if not takes'),
  one(
    'a good probe never takes back a failed one',
    CLOSED,
    'if bad or not takes_nothing_back(provider, runs[i]) then',
    'if bad then',
  ),
  one(
    'a good probe made by other settings is counted',
    CLOSED_PROBE,
    'provider.settings.revision + 0',
    '(run[7] or 0)',
  ),
  one(
    'a good probe from before a mark is counted',
    CLOSED_PROBE,
    '(circuit.mark_version or 0) + 0',
    '(run[8] or 0)',
  ),
  one(
    'a good probe leaves an announced silence',
    CLOSED_PROBE,
    'circuit.probe_down or circuit.probe_overdue_at_ms',
    'circuit.probe_down',
  ),
  one('a success leaves the run of failures', CLOSED, 'failures, good = 0,', 'good ='),
  one(
    'a batch that was counted is judged again',
    RECORD,
    'for i = next_run, #runs do',
    'for i = 1, #runs do',
  ),
  one('a batch is counted though a mark is to end', RECORD, ' and not circuit.mark\n', '\n'),
  one('a batch is counted though the circuit is not closed', RECORD, " and circuit.state == 'closed'", ''),
  one('an admission overlooks a mark', ADMIT, ' or circuit.mark or', ' or'),
  one('an admission overlooks a pause', ADMIT, 'or throttled then', 'or false then'),
  one('a probe leaves no trace', ADMIT, "origin ~= 'call' or ", ''),
  one(
    'a caller that knows less is told nothing',
    REPLY,
    ' or as_text(circuit.version or 0) ~= provider.caller.known_version',
    '',
  ),
  one(
    'a change without an event is not published',
    'lib/announcement.lua',
    'if not provider.events and not provider.touched.version then',
    'if not provider.events then',
  ),
  byContract(
    'a reply ends before what it says',
    REPLY,
    ' or values[n] == 0) do',
    ' or values[n] == 0 or true) do',
  ),
  one(
    'a field that is back at its default stays',
    PROVIDER,
    "redis.call('HDEL', provider.keys.circuit, unpack(gone))",
    'gone = nil',
  ),
  one(
    'a script that changed nothing writes the time',
    PROVIDER,
    '  if not next(touched) and not wrote then\n',
    '  if false then\n',
  ),
  one(
    'no time is kept while a deadline waits for it',
    PROVIDER,
    "if circuit.state == 'closed' and not throttled and (circuit.mark_until_ms or 0) + 0 == 0 then",
    'if true then',
  ),
  byContract(
    'a failure is no failure of the window',
    HISTORY,
    '(circuit.history_failed or 0) + count, true',
    'circuit.history_failed, true',
  ),
  byContract(
    'evicted failures stay in the window',
    HISTORY,
    'elseif failed(status) then',
    'elseif failed(status) and count > 0 then',
  ),
  one('a rule is told of no failure before the run', TRIP, 'in_a_row = in_a_row,', 'in_a_row = 0,'),
]

const rest = [
  one('a batch sent twice counts twice', RECORD, 'last and sequence > last', 'last and sequence >= last'),
  one('a resent batch of an unknown incarnation decides', RECORD, '      run.generation = 0\n', ''),
  one('a reset leaves the pause', 'reset.lua', "put(provider, 'throttled_until_ms', 0)\n", ''),
  one(
    'a trip without an end keeps an old one',
    'trip.lua',
    'for_ms and now + for_ms or 0',
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
  one('a batch that runs late decides', RECORD, '-- @include lib/open_in_time', '-- @include lib/open'),
  one('a batch overlooks an outage', RECORD, ' and not lost_ms_ago', ''),
  essential(
    'failures from before an outage go on',
    BREAKER,
    'if provider.written_at_ms < lost_at_ms then',
    'if false then',
  ),
  one(
    'failures are forgotten though others went on',
    BREAKER,
    'written_at_ms < lost_at_ms',
    'written_at_ms <= lost_at_ms',
  ),
  one(
    'the run of failed probes outlives an outage',
    BREAKER,
    "    put(provider, 'probe_consecutive_failures', 0)\n    put(provider, 'failing_batches', 0)\n",
    "    put(provider, 'failing_batches', 0)\n",
  ),
  one('what waited enters the history as of now', HISTORY, 'at = math.max(at - age_ms,', 'at = math.max(at,'),
  one(
    'a batch overlooks its age',
    CLOSED,
    'append_run(provider, outcome, count, runs[i][10])',
    'append_run(provider, outcome, count)',
  ),
  one(
    'what waited enters before the newest',
    HISTORY,
    'newest and circuit.history_newest_at_ms + 0 or 0',
    '0',
  ),
]

const backpressure = [
  essential(
    'the row of slots does not grow',
    BACKPRESSURE,
    'math.max(next_slot_us, now_us) + step',
    'now_us + step',
  ),
  byContract(
    'a duplicate takes a slot',
    RECORD,
    '  if last and not known then\n',
    "  if last and not known then\n    put(provider, 'next_slot_us', slot_us)\n",
  ),
  one(
    'suspicion tells everybody again and again',
    SUSPICION,
    'circuit.failing_batches == (failure_threshold',
    'circuit.failing_batches >= (failure_threshold',
  ),
  byContract('suspicion without load', RECORD, 'if wait_ms and runs', 'if runs'),
]

const overdue = [
  one('a silence is announced again and again', 'overdue.lua', 'circuit.probe_overdue_at_ms == 0 and ', ''),
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
  one('a result does not end the silence', BREAKER, "    put(provider, 'probe_overdue_at_ms', 0)\n", ''),
  one(
    'nobody hears that a silence is over',
    BREAKER,
    "    put(provider, 'probe_overdue_at_ms', 0)\n    bump_version(provider)\n",
    "    put(provider, 'probe_overdue_at_ms', 0)\n",
  ),
  one('a pause is a silence', OVERDUE, ', circuit.throttled_until_ms', ''),
  one('a mark that ran out was a silence', OVERDUE, ', marked_until_ms\n', '\n'),
  one(
    'other settings are awaited since the old ones',
    REGISTER,
    '  await_probe(provider, provider.now)\n',
    '',
  ),
  one(
    "a state began when it was stored, not with the cooldown's end",
    SNAPSHOT,
    'cooled and circuit.retry_at_ms or ',
    '',
  ),
]

const recentCalls = [
  essential('a client error is no success', OUTCOMES, " or outcome == 'client_error'", ''),
  one(
    'a client error is not counted',
    BREAKER,
    "elseif run.outcome == 'client_error' then",
    'elseif false then',
  ),
  one(
    'a client error older than the window is counted',
    RECENT_CALLS,
    'if run.count == 0 or (run.age_ms or 0) > window_ms then',
    'if false then',
  ),
  one(
    'a stretch takes the one before it along',
    RECENT_CALLS,
    'put(provider, fields.before, circuit[fields.count])',
    'put(provider, fields.before, circuit[fields.before] + circuit[fields.count])',
  ),
  one(
    'a stretch that ended is forgotten',
    RECENT_CALLS,
    'put(provider, fields.before, circuit[fields.count])',
    'put(provider, fields.before, 0)',
  ),
  one('a stretch begins when it is counted', RECENT_CALLS, 'since_ms + window_ms)', 'provider.now)'),
  one(
    'client errors of two windows ago are kept',
    RECENT_CALLS,
    'if old_ms > 2 * window_ms then',
    'if false then',
  ),
  one(
    'a reader takes all of the stretch before',
    RECENT_CALLS,
    'math.floor(before * (window_ms - old_ms) / window_ms)',
    'before',
  ),
  one(
    'a reader takes all of a stretch that ended',
    RECENT_CALLS,
    'math.floor(circuit[fields.count] * (2 * window_ms - old_ms) / window_ms)',
    'circuit[fields.count]',
  ),
  one(
    'what the last client error saw outlives it',
    RECENT_CALLS,
    'count > 0 and circuit[fields.last] or nil',
    'circuit[fields.last]',
  ),
  one(
    'an ignored call is not counted',
    BREAKER,
    "elseif run.outcome == 'ignored' and not probing then",
    'elseif false then',
  ),
  one(
    'a probe that was given up is a call that was ignored',
    BREAKER,
    "run.outcome == 'ignored' and not probing",
    "run.outcome == 'ignored'",
  ),
]

const outagesKept = [
  one(
    'an outage begins with its last opening',
    OUTAGE,
    'if circuit.outage_since_ms == 0 then\n    put',
    'if true then\n    put',
  ),
  essential(
    'a transition is not counted',
    CIRCUIT,
    'put(provider, total, circuit[total] + 1)',
    'put(provider, total, circuit[total])',
  ),
  one(
    'the time that is not closed ends with each transition',
    CIRCUIT,
    'return circuit.open_ms_total + present_ms',
    'return present_ms',
  ),
  one(
    'time counts as open while closed',
    CIRCUIT,
    "local present_ms = circuit.state == 'closed' and 0 or now - circuit.state_since_ms",
    'local present_ms = now - circuit.state_since_ms',
  ),
  one('a trip by hand is a rule of the circuit', OUTAGE, "failure and 'rule' or 'hand'", "'rule'"),
  one(
    'a trip by hand is a trial that failed',
    OUTAGE,
    "elseif failure and from == 'half_open'",
    "elseif from == 'half_open'",
  ),
  essential(
    'a trial that failed is not counted',
    OUTAGE,
    'circuit.outage_trials + 1',
    'circuit.outage_trials',
  ),
  one('a call that was in vain is not counted', OUTAGE, 'outage_doomed + count', 'outage_doomed'),
  one(
    'a failure without an outage was in vain',
    OUTAGE,
    'if provider.circuit.outage_since_ms ~= 0 then',
    'if true then',
  ),
  one(
    'the rest of the run that opened was not in vain',
    BREAKER,
    '  note_doomed(provider, run.count - opening)\n',
    '',
  ),
  essential('an outage has no end', BREAKER, '  end_outage(provider)\n', ''),
  one('calls in vain are of the next outage too', OUTAGE, "  put(provider, 'outage_doomed', 0)\n", ''),
  one('trials are of the next outage too', OUTAGE, "  put(provider, 'outage_trials', 0)\n", ''),
  byContract(
    'more outages are kept than are said',
    OUTAGE,
    'local OUTAGES_KEPT = 100',
    'local OUTAGES_KEPT = 101',
  ),
  byContract('after a wipe an outage begins anew', REGISTER, 'if known.outageSince and ', 'if false and '),
]

const members = [
  byContract('a member leaves a ms too late', EXPIRE, 'now < idle_at_ms', 'now <= idle_at_ms'),
  byContract('a mark that has ended keeps a member', EXPIRE, 'mark_ends_ms > now', 'mark_ends_ms >= 0'),
  byContract('a mark without end keeps no member', EXPIRE, 'mark_ends_ms == 0 or ', ''),
  byContract('a trip without end keeps no member', EXPIRE, ' or marked or tripped then', ' or marked then'),
  byContract('a provider becomes a member by a touch', TOUCH, 'if not begin and ', 'if false and '),
  byContract(
    'a touch counts from the first one',
    TOUCH,
    "'idle_at_ms', as_text(now + idle_ms))",
    "'idle_ms', as_text(idle_ms))",
  ),
]

export const mutants = [
  ...circuit,
  ...breaker,
  ...admission,
  ...history,
  ...straight,
  ...outages,
  ...backpressure,
  ...overdue,
  ...recentCalls,
  ...outagesKept,
  ...members,
  ...rates,
  ...quorum,
  ...rest,
]
