-- hasten: brings the next probe of a provider forward, if it is planned at all and would come later.
--
-- KEYS
--   due      zset    provider -> when its next probe is due, ms
--   paces    hash    provider -> interval in ms, and a number that spreads the turns
--   claimed  zset    provider -> when its last probe was handed out, ms
--   rounds   hash    the clock, the pace of all and the next start
-- ARGV
--   id      text     the provider
--   in_ms   integer  it is to come after so long, ms
--   gap_ms  integer  but not before so long after the last was handed out, ms
-- Returns
--   status   text     ok
--   now_ms   integer  time of the schedule
--   changed  boolean  whether it comes sooner now

local keys = { due = KEYS[1], paces = KEYS[2], claimed = KEYS[3], rounds = KEYS[4] }
local id = ARGV[1]
local in_ms = tonumber(ARGV[2])
local gap_ms = tonumber(ARGV[3])

-- @include lib/schedule

local _, now = open_rounds(keys.rounds)
local due_ms = tonumber(redis.call('ZSCORE', keys.due, id) or '')
local claimed_at_ms = tonumber(redis.call('ZSCORE', keys.claimed, id) or 0)
local sooner_ms = math.max(now + in_ms, claimed_at_ms + gap_ms)
local changed = due_ms ~= nil and sooner_ms < due_ms and redis.call('HEXISTS', keys.paces, id) == 1
if changed then
  redis.call('ZADD', keys.due, as_text(sooner_ms), id)
end
return { 'ok', as_text(now), changed and '1' or '0' }
