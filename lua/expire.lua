-- expire: removes a member of a family that no process has used for long enough, as remove does. One that a person holds in a
-- state (a mark, a trip without end, pinned settings) stays, and is asked about again later.
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
-- Returns
--   status      text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms      integer  provider time
--   applied     integer  outcomes applied since registration
--   snapshot    json     empty when the caller knows the version
--   events      json     transitions that this call made; empty when none
--   expired     boolean  whether it was removed
--   idle_at_ms  integer  provider time from which on it is idle; empty: it was removed, or never is

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

-- @include lib/reply
-- @include lib/removal
-- @include lib/open

local idle = redis.call('HMGET', keys.config, 'idle_ms', 'idle_at_ms', 'pinned')
local idle_ms, idle_at_ms = tonumber(idle[1]), tonumber(idle[2])
if not idle_ms or not idle_at_ms then
  return finish(provider, false, '')
elseif now < idle_at_ms then
  return finish(provider, false, idle_at_ms)
end
local circuit = provider.circuit
local mark_ends_ms = tonumber(circuit.mark_until_ms) or 0
local marked = circuit.mark and (mark_ends_ms == 0 or mark_ends_ms > now)
local tripped = circuit.state == 'open' and (tonumber(circuit.retry_at_ms) or 0) == 0
if idle[3] or marked or tripped then
  redis.call('HSET', keys.config, 'idle_at_ms', as_text(now + idle_ms))
  return finish(provider, false, now + idle_ms)
end
local reply = remove_provider(provider, '', 'not used for ' .. as_text(idle_ms) .. ' ms')
reply[6], reply[7] = '1', ''
return reply
