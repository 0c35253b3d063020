-- reset: closes the circuit by hand. Counters become 0, a pause and all leases end; marks stay.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   window   hash    calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash    reporters, witnesses and suspects; absent while no quorum is set
--   outages  stream  the last 100 outages that ended
-- ARGV
--   id             text     the provider
--   channel        text     where changes are published
--   worker         text     the calling process
--   known_version  digits   the version that the caller knows; 0 when none
--   actor          text     the person or program that asked for the reset
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
  outages = KEYS[8],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }
local actor = ARGV[5]
local reason = ARGV[6]
local not_after_ms = tonumber(ARGV[7])

-- @include lib/reply
-- @include lib/complete
-- @include lib/marks
-- @include lib/breaker

local provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
elseif now > not_after_ms then
  return late_reply(now)
end
complete(provider)
expire_mark(provider)
local quorum = quorum_of(provider)
if quorum then
  quorum.clear_suspects(provider, function()
    return true
  end, 'was reset')
end
close_circuit(provider, 'reset', reason ~= '' and reason or 'reset', actor)
put(provider, 'throttled_until_ms', 0)
return finish(provider)
