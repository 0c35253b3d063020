-- unschedule: ends the probes of a provider.
--
-- KEYS
--   due      zset    provider -> when its next probe is due, ms
--   paces    hash    provider -> interval in ms, and a number that spreads the turns
--   claimed  zset    provider -> when its last probe was handed out, ms
--   rounds   hash    the clock, the pace of all and the next start
-- ARGV
--   id  text  the provider
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether there was a schedule

local keys = { due = KEYS[1], paces = KEYS[2], claimed = KEYS[3], rounds = KEYS[4] }
local id = ARGV[1]

-- @include lib/schedule

local rounds, now = open_rounds(keys.rounds)
local changed = drop(keys, rounds, id)
if changed then
  save_rounds(keys.rounds, rounds)
end
return { 'ok', as_text(now), changed and '1' or '0' }
