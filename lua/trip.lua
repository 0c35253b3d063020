-- trip: opens the circuit by hand. An earlier deadline is replaced. Without for_ms only a reset closes the circuit.
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
--   actor          text     the person or program that asked for the trip
--   reason         text     why, in words
--   not_after_ms   integer  provider time after which this does nothing
--   for_ms         integer  ms until half-open; empty: until a reset
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
local actor = ARGV[5]
local reason = ARGV[6]
local not_after_ms = tonumber(ARGV[7])
local for_ms = tonumber(ARGV[8])

-- @include lib/reply
-- @include lib/complete
-- @include lib/marks
-- @include lib/outage
-- @include lib/ramp
-- @include lib/open_in_time

complete(provider)
expire_mark(provider)
local from = provider.circuit.state
end_ramp(provider)
forget_runs(provider)
transition(provider, 'opened', 'open', reason ~= '' and reason or 'tripped', actor)
note_opening(provider, from, nil)
put(provider, 'opened_at_ms', now)
put(provider, 'retry_at_ms', for_ms and now + for_ms or 0)
return finish(provider)
