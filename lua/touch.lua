-- touch: says that a member of a family is used. It leaves Redis when this was not said for idle_ms: see expire.
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
--   idle_ms        integer  how long it stays without a use
--   begin          boolean  whether it leaves from now on; else only if it was to leave before
-- Returns
--   status     text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms     integer  provider time
--   applied    integer  outcomes applied since registration
--   snapshot   json     empty when the caller knows the version
--   events     json     transitions that this call made; empty when none
--   idle_at_ms integer  provider time from which on it is idle; empty: never

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
local idle_ms = tonumber(ARGV[5])
local begin = ARGV[6] == '1'

-- @include lib/reply
-- @include lib/open

if not begin and redis.call('HEXISTS', keys.config, 'idle_ms') == 0 then
  return finish(provider, '')
end
redis.call('HSET', keys.config, 'idle_ms', as_text(idle_ms), 'idle_at_ms', as_text(now + idle_ms))
return finish(provider, now + idle_ms)
