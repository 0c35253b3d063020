-- overdue: announces that no probe has ended for too long, if that is so by Redis's clock.
-- A silence is announced once, however many processes see it.
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
--   overdue_ms     integer  silence after which a result is overdue, ms
--   interval_ms    integer  interval of probes in the provider's present state, ms
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
local overdue_ms = tonumber(ARGV[5])
local interval_ms = tonumber(ARGV[6])

-- @include lib/reply
-- @include lib/complete
-- @include lib/marks

-- `31s`. A short silence is written in ms, because it would round to 0 s.
local function duration_text(ms)
  if ms < 10000 and ms % 1000 ~= 0 then
    return string.format('%dms', ms)
  end
  return string.format('%ds', math.floor(ms / 1000))
end

local provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
end
complete(provider)
expire_mark(provider)
local circuit = provider.circuit
local silent_ms = now - probe_awaited_since(circuit)
local probed = redis.call('HEXISTS', keys.config, 'probe') == 1 and not ends_probes(circuit.mark)
if probed and circuit.probe_overdue_at_ms == 0 and silent_ms >= overdue_ms then
  put(provider, 'probe_overdue_at_ms', now)
  bump_version(provider)
  local reason =
    string.format('no probe result for %s, every %s is wanted', duration_text(silent_ms), duration_text(interval_ms))
  announce(provider, 'probe_overdue', '', 'overdue', reason)
end
return finish(provider)
