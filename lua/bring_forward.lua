-- bring_forward: plans an early probe of a provider, if the provider has turns and its next one would come later.
--
-- KEYS
--   due        zset    provider -> when its next turn is, ms
--   intervals  hash    provider -> interval in ms, where in it the turn is, the code that its probes need
--   claimed    zset    provider -> when its last probe was handed out, ms
--   one_offs   zset    early:<provider> or recovery:<provider> -> when this probe besides the turns is due, ms
--   schedule   hash    the clock, the rate of all, the next start, the planner
-- ARGV
--   id      text     the provider
--   in_ms   integer  the early probe is due in this many ms
--   gap_ms  integer  least time after the last probe that was handed out, ms
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether the next probe comes sooner now

local keys = { due = KEYS[1], intervals = KEYS[2], claimed = KEYS[3], one_offs = KEYS[4], schedule = KEYS[5] }
local id = ARGV[1]
local in_ms = tonumber(ARGV[2])
local gap_ms = tonumber(ARGV[3])

-- @include lib/schedule

local _, now = open_schedule(keys.schedule)
local early = one_off_member('early', id)
local planned_ms = tonumber(redis.call('ZSCORE', keys.one_offs, early) or redis.call('ZSCORE', keys.due, id) or '')
local claimed_at_ms = tonumber(redis.call('ZSCORE', keys.claimed, id) or 0)
local sooner_ms = math.max(now + in_ms, claimed_at_ms + gap_ms)
local changed = planned_ms ~= nil and sooner_ms < planned_ms and redis.call('HEXISTS', keys.intervals, id) == 1
if changed then
  redis.call('ZADD', keys.one_offs, as_text(sooner_ms), early)
end
return { 'ok', as_text(now), changed and '1' or '0' }
