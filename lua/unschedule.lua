-- unschedule: ends the probes of a provider.
--
-- KEYS
--   due        zset    provider -> when its next turn is, ms
--   intervals  hash    provider -> interval in ms, where in it the turn is, the code that its probes need
--   claimed    zset    provider -> when its last probe was handed out, ms
--   one_offs   zset    early:<provider> or recovery:<provider> -> when this probe besides the turns is due, ms
--   schedule   hash    the clock, the rate of all, the next start, the planner
-- ARGV
--   id  text  the provider
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether there was a schedule

local keys = { due = KEYS[1], intervals = KEYS[2], claimed = KEYS[3], one_offs = KEYS[4], schedule = KEYS[5] }
local id = ARGV[1]

-- @include lib/schedule

local schedule, now = open_schedule(keys.schedule)
local changed = drop(keys, schedule, id)
redis.call('ZREM', keys.one_offs, one_off_member('recovery', id))
if changed then
  save_schedule(keys.schedule, schedule)
end
return { 'ok', as_text(now), changed and '1' or '0' }
