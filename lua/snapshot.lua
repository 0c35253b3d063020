-- snapshot: reads the state of a provider. The script writes nothing, so that it also runs on a replica.
--
-- KEYS
--   config   hash  the settings
--   circuit  hash  state, counters, marks, totals of the history
--   history  zset  runs of outcomes
--   trials   zset  token -> lease deadline, ms
--   window   hash  calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash  reporters, witnesses and suspects; absent while no quorum is set
-- ARGV
--   id  text  the provider
-- Returns
--   status    text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms    integer  provider time
--   applied   integer  outcomes applied since registration
--   snapshot  json     always present
--   events    json     empty

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  window = KEYS[5],
  domains = KEYS[6],
}
local caller = { id = ARGV[1] }

-- @include lib/provider
-- @include lib/snapshot

local provider, now = open_provider(keys, caller)
if not provider then
  return { 'unknown_provider', now }
end
return { 'ok', now, provider.circuit.applied or 0, snapshot_json(provider), '' }
