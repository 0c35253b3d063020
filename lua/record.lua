-- record: applies a batch of outcomes, in order, once.
-- A batch is known by (incarnation, sequence): one already applied changes nothing. A resent batch of an
-- incarnation that the book has forgotten may have been applied before, so it goes to the history only.
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
--   runs                    json     [origin, outcome, count, generation, token, retry_after_ms, settings_revision, mark_version, detail], ...
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
local runs = cjson.decode(ARGV[11])

-- @include lib/reply
-- @include lib/marks
-- @include lib/breaker
-- @include lib/batches
-- @include lib/load

local provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
end
expire_mark(provider)
local slot_us, wait_ms, urgent_share = next_slot(provider, flush_interval_ms, max_batches_per_second)
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
note_batch(provider, incarnation, sequence)
provider.circuit.next_slot_us = slot_us
return finish(provider, false, late, dropped, wait_ms, urgent_share)
