-- schedule: plans the probes of a provider, one turn every interval_ms. Turns with this plan already stay as they are.
--
-- KEYS
--   due        zset    provider -> when its next turn is, ms
--   intervals  hash    provider -> interval in ms, where in it the turn is, what its probes need
--   claimed    zset    provider -> when its last probe was handed out, ms
--   one_offs   zset    early:<provider> or recovery:<provider> -> when this probe besides the turns is due, ms
--   schedule   hash    the clock, the rate of all, the next start, the planner
-- ARGV
--   id              text     the provider
--   interval_ms     integer  between two turns, ms
--   spread          integer  any number of the provider's own, 0 and up; says where in the interval its turn is
--   needs           text     what a worker must have registered to make its probes; empty: nothing
--   since_ms        integer  ms since its last probe began; empty: never
--   recovery_in_ms  integer  ms until its recovery probe; -1: none; empty: a planned one stays
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether the plan is another than before

local keys = { due = KEYS[1], intervals = KEYS[2], claimed = KEYS[3], one_offs = KEYS[4], schedule = KEYS[5] }
local id = ARGV[1]
local interval_ms = tonumber(ARGV[2])
local spread = tonumber(ARGV[3])
local needs = ARGV[4]
local since_ms = tonumber(ARGV[5])
local recovery_in_ms = tonumber(ARGV[6])

-- @include lib/schedule

local schedule, now = open_schedule(keys.schedule)
local wanted = as_text(interval_ms) .. ':' .. as_text(spread) .. ':' .. needs
local due_ms = tonumber(redis.call('ZSCORE', keys.due, id) or '')
-- A turn more than two intervals away was planned by a clock that has stepped back since. Kept, it would leave the
-- provider without probes until then.
local stands = due_ms and due_ms <= now + 2 * interval_ms and redis.call('HGET', keys.intervals, id) == wanted
if not stands then
  drop(keys, schedule, id)
  local turn = since_ms and next_turn(now - since_ms, interval_ms, spread) or now
  redis.call('HSET', keys.intervals, id, wanted)
  redis.call('ZADD', keys.due, as_text(math.max(turn, now)), id)
  schedule.rate = schedule.rate + rate_of(interval_ms)
  save_schedule(keys.schedule, schedule)
end
if recovery_in_ms == -1 then
  redis.call('ZREM', keys.one_offs, one_off_member('recovery', id))
elseif recovery_in_ms then
  redis.call('ZADD', keys.one_offs, as_text(now + recovery_in_ms), one_off_member('recovery', id))
end
return { 'ok', as_text(now), stands and '0' or '1' }
