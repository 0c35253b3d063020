-- schedule: plans the probes of a provider, one every interval_ms. One that is planned so already stays as it is.
--
-- KEYS
--   due      zset    provider -> when its next probe is due, ms
--   paces    hash    provider -> interval in ms, and a number that spreads the turns
--   claimed  zset    provider -> when its last probe was handed out, ms
--   rounds   hash    the clock, the pace of all and the next start
-- ARGV
--   id           text     the provider
--   interval_ms  integer  between two probes, ms
--   spread       integer  any number of the provider's own, 0 and up: where in the interval its turn is
--   since_ms     integer  how long ago its last probe began, ms; empty: never
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether it was not planned so before

local keys = { due = KEYS[1], paces = KEYS[2], claimed = KEYS[3], rounds = KEYS[4] }
local id = ARGV[1]
local interval_ms = tonumber(ARGV[2])
local spread = tonumber(ARGV[3])
local since_ms = tonumber(ARGV[4])

-- @include lib/schedule

local rounds, now = open_rounds(keys.rounds)
local wanted = as_text(interval_ms) .. ':' .. as_text(spread)
local due_ms = tonumber(redis.call('ZSCORE', keys.due, id) or '')
-- A turn further off than two intervals was planned by a clock that is gone.
local stands = due_ms and due_ms <= now + 2 * interval_ms and redis.call('HGET', keys.paces, id) == wanted
if not stands then
  drop(keys, rounds, id)
  local turn = since_ms and next_turn(now - since_ms, interval_ms, spread) or now
  redis.call('HSET', keys.paces, id, wanted)
  redis.call('ZADD', keys.due, as_text(math.max(turn, now)), id)
  rounds.pace = rounds.pace + pace_of(interval_ms)
  save_rounds(keys.rounds, rounds)
end
return { 'ok', as_text(now), stands and '0' or '1' }
