-- record: applies a batch of outcomes, in order, once.
-- A batch is known by (incarnation, sequence): one already applied changes nothing. A resent batch of an
-- incarnation that the book has forgotten may have been applied before, so it goes to the history only. Run after
-- not_after_ms nothing is done: whoever sent it has given up waiting, and sends it again, after an outage as history.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   batches  hash    last applied sequence and its time per incarnation
-- ARGV
--   id                      text     the provider
--   channel                 text     where changes are published
--   worker                  text     who calls
--   known_version           integer  the version that the caller knows; 0 when none
--   incarnation             text     a random name of the life of the calling process
--   sequence                integer  grows by 1 with each batch
--   resent                  boolean  whether this batch was sent before
--   jitter_draw             number   0 to 1, the draw behind cooldownJitter
--   flush_interval_ms       integer  the pause that the caller keeps by itself, ms
--   max_batches_per_second  integer  what the provider may cost, batches of the whole fleet per second
--   not_after_ms            integer  provider time after which this does nothing
--   lost_ms_ago             integer  how long ago the caller lost the store, ms; empty: not since its last batch
--   runs                    json     [origin, outcome, count, generation, token, retry_after_ms, settings_revision, mark_version, detail, age_ms or none], ...
-- Returns
--   status        text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms        integer  provider time
--   applied       integer  outcomes applied since registration
--   snapshot      json     empty when the caller knows the version
--   events        json     transitions that this call made; empty when none
--   duplicate     boolean  the batch was applied before: nothing was done
--   late          integer  outcomes that decided nothing
--   dropped       integer  probe results dropped
--   wait_ms       integer  how long the caller is to wait before its next flush, ms
--   urgent_share  number   the share of workers whose failures may go at once, 0 to 1

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  events = KEYS[5],
  batches = KEYS[6],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = tonumber(ARGV[4]) }
local incarnation = ARGV[5]
local sequence = tonumber(ARGV[6])
local resent = ARGV[7] == '1'
local jitter_draw = tonumber(ARGV[8])
local flush_interval_ms = tonumber(ARGV[9])
local max_batches_per_second = tonumber(ARGV[10])
local not_after_ms = tonumber(ARGV[11])
local lost_ms_ago = tonumber(ARGV[12])
local runs = cjson.decode(ARGV[13])

-- @include lib/everyday
-- @include lib/everyday_batch
-- @include lib/everyday_probe
-- @include lib/history
-- @include lib/book
-- @include lib/load

-- An everyday batch is judged and written here. Nothing is written before it is known to be one, so that every other
-- begins anew below.
local now, generation, applied, failures, next_slot_us, total, healthy, newest, newest_at_ms, oldest_at_ms =
  read_everyday(
    keys, caller, 'consecutive_failures', 'next_slot_us',
    'history_total', 'history_healthy', 'history_newest', 'history_newest_at_ms', 'history_oldest_at_ms'
  )
local everyday = now and now <= not_after_ms and not lost_ms_ago
local last = everyday and last_sequence(keys, incarnation)
local threshold, max_records, window_ms
if last and sequence > last and newest ~= '' then
  threshold, max_records, window_ms = unpack(
    redis.call('HMGET', keys.config, 'breaker.failureThreshold', 'history.maxRecords', 'history.windowMs')
  )
end
if threshold then
  local probing = runs[1] and runs[1][1] == 'probe'
  local count, failures_now, lasting
  if probing then
    failures_now = failures + 0
    count, lasting = judge_everyday_probe(keys, runs, generation + 0)
  else
    count, failures_now, lasting = judge_everyday(runs, generation + 0, failures + 0, threshold + 0)
  end
  local slot_us, wait_ms, urgent_share = next_slot(next_slot_us + 0, now, flush_interval_ms, max_batches_per_second)
  -- Under pressure the end of a batch may tell something; see suspect.
  if count and wait_ms > flush_interval_ms then
    local failing_batches = redis.call('HGET', keys.circuit, 'failing_batches')
    count = failures_now == 0 and failing_batches == '0' and count
  end
  if count then
    local circuit = {
      history_total = total + 0,
      history_healthy = healthy + 0,
      history_newest = newest,
      history_newest_at_ms = newest_at_ms + 0,
      history_oldest_at_ms = oldest_at_ms + 0,
    }
    local settings = { max_records = max_records + 0, window_ms = window_ms + 0 }
    append_runs({ keys = keys, now = now, circuit = circuit, settings = settings }, lasting)
    -- What seldom changes is written when it does.
    if circuit.history_newest_at_ms ~= newest_at_ms + 0 or circuit.history_oldest_at_ms ~= oldest_at_ms + 0 then
      redis.call(
        'HSET', keys.circuit, 'history_newest_at_ms', circuit.history_newest_at_ms,
        'history_oldest_at_ms', circuit.history_oldest_at_ms
      )
    end
    if failures_now ~= failures + 0 then
      redis.call('HSET', keys.circuit, 'consecutive_failures', failures_now)
    end
    applied = applied + count
    local now_text = as_text(now)
    redis.call(
      'HSET', keys.circuit, 'last_now_ms', now_text, 'applied', applied, 'next_slot_us', as_text(slot_us),
      'history_total', circuit.history_total, 'history_healthy', circuit.history_healthy,
      'history_newest', circuit.history_newest
    )
    if probing then
      note_everyday_probe(keys, runs, now_text)
    end
    note_batch(keys, incarnation, sequence, now_text)
    return { 'ok', now_text, applied, '', '', '0', '0', '0', wait_ms, urgent_share }
  end
end

-- Any other batch.

-- @include lib/reply
-- @include lib/marks
-- @include lib/breaker
-- @include lib/batches

local provider
provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
end
if now > not_after_ms then
  return late_reply(now)
end
expire_mark(provider)
if lost_ms_ago then
  forget_failures_before(provider, now - lost_ms_ago)
end
local slot_us, wait_ms, urgent_share =
  next_slot(provider.circuit.next_slot_us, now, flush_interval_ms, max_batches_per_second)
local seen = look_up_batch(provider, incarnation, sequence, resent)
if seen == 'duplicate' then
  return finish(provider, true, 0, 0, wait_ms, urgent_share)
end
if provider.circuit.state == 'half_open' then
  drop_expired_trials(provider)
end

local late, dropped, lasting, last = 0, 0, {}, nil
for _, fields in ipairs(runs) do
  local run = read_run(fields)
  if seen == 'forgotten' then
    run.generation = 0
  end
  last = run
  local run_late, run_dropped = judge(provider, run, jitter_draw)
  late = late + run_late
  if run_dropped then
    dropped = dropped + run.count
  elseif HEALTH[run.outcome] then
    lasting[#lasting + 1] = run
  end
end
if #lasting > 0 then
  append_runs(provider, lasting)
end
if last and seen == 'new' and wait_ms > flush_interval_ms then
  suspect(provider, last)
end
note_batch(keys, incarnation, sequence, now)
provider.circuit.next_slot_us = slot_us
return finish(provider, false, late, dropped, wait_ms, urgent_share)
