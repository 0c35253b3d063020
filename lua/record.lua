-- record: applies a batch of outcomes, in order, once.
-- A batch is known by (incarnation, sequence): one already applied changes nothing. A resent batch of an
-- incarnation that is not known any more may have been applied before, so it goes to the history only. Run after
-- not_after_ms, the script does nothing. Its sender has given up waiting and sends the batch again; after an outage the
-- batch then enters the history only.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   window   hash    calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash    reporters, witnesses and suspects; absent while no quorum is set
--   batches  hash    last applied sequence and its time per incarnation
--   outages  stream  the last 100 outages that ended
--   workers  hash    calls by worker; given only while somebody looks at them
-- ARGV
--   id                      text     the provider
--   channel                 text     where changes are published
--   worker                  text     the calling process
--   known_version           digits   the version that the caller knows; 0 when none
--   incarnation             text     a random name of the life of the calling process
--   sequence                integer  grows by 1 with each batch
--   resent                  boolean  whether this batch was sent before
--   jitter_draw             number   random number for cooldownJitter, 0 to 1
--   flush_interval_ms       integer  the caller's own pause between flushes, ms
--   max_batches_per_second  integer  budget of the provider, batches of the whole fleet per second
--   not_after_ms            integer  provider time after which this does nothing
--   lost_ms_ago             integer  ms since the caller lost the store; empty: not since its last batch
--   reporter                text     what a quorum needs of the calling process, empty while none is set: `<failures in a row of its own in the present generation> <ms since the first of them> <failure domain; empty: it has never had a success>`
--   runs                    json     [origin, outcome, count, generation as text, token, retry_after_ms, settings_revision, mark_version, detail, age_ms], ...; those at the end that are empty or 0 are left out
-- Returns
--   status        text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms        integer  provider time
--   applied       integer  outcomes applied since registration
--   snapshot      json     empty when the caller knows the version
--   events        json     transitions that this call made; empty when none
--   duplicate     boolean  whether the batch was applied before, so that nothing was done
--   outdated      integer  outcomes of an older generation, which decided nothing
--   dropped       integer  probe results that were dropped: settings or mark changed under them
--   wait_ms       integer  pause until the caller's next flush, ms; empty: flush_interval_ms
--   urgent_share  number   share of workers whose failures may go at once, 0 to 1; empty: all

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  events = KEYS[5],
  window = KEYS[6],
  domains = KEYS[7],
  batches = KEYS[8],
  outages = KEYS[9],
  workers = KEYS[10],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }
local incarnation = ARGV[5]
local sequence = ARGV[6] + 0
local resent = ARGV[7] == '1'
local jitter_draw = ARGV[8] + 0
local flush_interval_ms = ARGV[9] + 0
local max_batches_per_second = ARGV[10] + 0
local not_after_ms = ARGV[11] + 0
local lost_ms_ago = tonumber(ARGV[12])
local reporter = ARGV[13]
local runs = cjson.decode(ARGV[14])

-- @include lib/reply
-- @include lib/closed
-- @include lib/batch_ids
-- @include lib/backpressure
-- @include lib/open_in_time

local circuit = provider.circuit
local slot_us, wait_ms, urgent_share =
  next_slot((circuit.next_slot_us or 0) + 0, now, flush_interval_ms, max_batches_per_second)
local last = last_sequence(keys, incarnation)
local known = last and sequence > last
local outdated, dropped, next_run = 0, 0, 1

-- A closed circuit counts its outcomes straight down, and nearly every batch ends here. The first run that asks for more
-- is judged in the block below, which goes on from that run.
local counting = known and not lost_ms_ago and circuit.state == 'closed' and not circuit.mark
if counting then
  begin_history(provider)
  next_run = count_runs(provider, runs)
end
if next_run <= #runs or not counting then
  -- @include lib/marks
  -- @include lib/breaker
  complete(provider)
  expire_mark(provider)
  if lost_ms_ago then
    forget_failures_before(provider, now - lost_ms_ago)
  end
  if last and not known then
    return finish(provider, true, 0, 0, wait_ms, urgent_share)
  elseif not last then
    -- @include lib/batch_expiry
    forget_idle_batches(provider)
  end
  if circuit.state == 'half_open' then
    drop_expired_trials(provider)
  end
  begin_history(provider)
  local quorum = quorum_of(provider)
  if quorum then
    local sure = last or not resent
    local failures, since_ms, domain = string.match(reporter, '^(%d+) (%d+) (.*)$')
    quorum.begin_report(provider, {
      process = incarnation,
      worker = caller.worker,
      domain = domain and domain ~= '' and domain or '?',
      own = { failures = (failures or 0) + 0, since_ms = (since_ms or 0) + 0 },
      pause_ms = wait_ms or flush_interval_ms,
    }, sure and runs or {})
  end
  for i = next_run, #runs do
    local run = read_run(runs[i])
    if resent and not last then
      run.generation = 0
    end
    local run_outdated, run_dropped = judge(provider, run, jitter_draw)
    outdated = outdated + run_outdated
    if run_dropped then
      dropped = dropped + run.count
    elseif failed(run.outcome) ~= nil then
      append_run(provider, run.outcome, run.count, run.age_ms)
    end
  end
  if quorum and runs[1] then
    local run = read_run(runs[#runs])
    local reason = (last or not resent) and quorum.end_report(provider, run)
    if reason then
      open_circuit(provider, reason, run, jitter_draw)
    end
  end
end
end_history(provider)
if wait_ms and runs[1] and (last or not resent) then
  -- @include lib/suspicion
  suspect_outage(provider, runs[#runs])
end
if keys.workers and (last or not resent) then
  -- @include lib/worker_tally
  tally_worker(provider, runs)
end
note_batch(keys, incarnation, sequence, now)
put(provider, 'next_slot_us', slot_us)
if not wait_ms and outdated + dropped == 0 then
  return finish(provider)
end
return finish(provider, false, outdated, dropped, wait_ms, urgent_share)
