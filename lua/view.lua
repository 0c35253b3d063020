-- view: says that somebody looks at the calls of each worker for the next 30 s, and reads them.
-- Batches count them meanwhile, and at no other time. Where nobody looked, it starts over, and the version grows: so every
-- worker learns of it. A lease that is prolonged is announced to nobody, and at most one write in 10 s.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   window   hash    calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash    reporters, witnesses and suspects; absent while no quorum is set
--   workers  hash    calls by worker, while somebody looks at them
-- ARGV
--   id             text     the provider
--   channel        text     where changes are published
--   worker         text     the calling process
--   known_version  digits   the version that the caller knows; 0 when none
-- Returns
--   status     text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms     integer  provider time
--   applied    integer  outcomes applied since registration
--   snapshot   json     empty when the caller knows the version
--   events     json     transitions that this call made; empty when none
--   since_ms   integer  provider time since which batches count
--   tallies    json     [worker, calls, failures, in_a_row, last_ms], ... of the last 30 to 60 s; empty when none

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  events = KEYS[5],
  window = KEYS[6],
  domains = KEYS[7],
  workers = KEYS[8],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }

-- @include lib/reply
-- @include lib/marks
-- @include lib/worker_tally
-- @include lib/worker_view
-- @include lib/open

complete(provider)
expire_mark(provider)
look(provider)
local tallies = read_tallies(provider)
return finish(provider, provider.circuit.viewed_since_ms, tallies[1] and cjson.encode(tallies) or '')
