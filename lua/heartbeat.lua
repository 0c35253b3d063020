-- heartbeat: the provider reports by itself that it lives, and perhaps how far it has come.
-- A heartbeat decides nothing and is not announced; a heartbeat probe reads it. Run after not_after_ms, the script does
-- nothing: the report is old, and would say that the provider lives now.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   window   hash    calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash    reporters, witnesses and suspects; absent while no quorum is set
-- ARGV
--   id             text     the provider
--   channel        text     where changes are published
--   worker         text     the calling process
--   known_version  digits   the version that the caller knows; 0 when none
--   progress       integer  how far the provider has come, in its own units; empty: not reported
--   not_after_ms   integer  provider time after which this does nothing
-- Returns
--   status    text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms    integer  provider time
--   applied   integer  outcomes applied since registration
--   snapshot  json     empty when the caller knows the version
--   events    json     transitions that this call made; empty when none

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  events = KEYS[5],
  window = KEYS[6],
  domains = KEYS[7],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }
local progress = tonumber(ARGV[5])
local not_after_ms = tonumber(ARGV[6])

-- @include lib/reply
-- @include lib/complete
-- @include lib/marks

local provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
elseif now > not_after_ms then
  return late_reply(now)
end
complete(provider)
expire_mark(provider)
local circuit = provider.circuit
-- The first heartbeat counts as progress, and so does any other number. A smaller one means that the provider started
-- over.
if circuit.heartbeat_at_ms == 0 or (progress and progress ~= circuit.heartbeat_progress) then
  put(provider, 'heartbeat_progress_at_ms', now)
end
put(provider, 'heartbeat_at_ms', now)
put(provider, 'heartbeat_progress', progress or circuit.heartbeat_progress)
return finish(provider)
