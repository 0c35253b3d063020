-- remove: deletes every key of the provider, its stream too, and publishes the removal.
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
--   workers  hash    calls by worker, while somebody looks at them
-- ARGV
--   id             text     the provider
--   channel        text     where changes are published
--   worker         text     the calling process
--   known_version  digits   the version that the caller knows; 0 when none
--   actor          text     the person or program that asked for the removal
--   reason         text     why, in words
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
  batches = KEYS[8],
  outages = KEYS[9],
  workers = KEYS[10],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }
local actor = ARGV[5]
local reason = ARGV[6]
local not_after_ms = tonumber(ARGV[7])

-- @include lib/reply
-- @include lib/removal
-- @include lib/open_in_time

return remove_provider(provider, actor, reason)
