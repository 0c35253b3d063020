-- claim: hands out the providers whose probes are due, the longest due first, and plans the next of each.
-- What is handed out belongs to the caller alone. O(max x log providers).
--
-- KEYS
--   due      zset    provider -> when its next probe is due, ms
--   paces    hash    provider -> interval in ms, and a number that spreads the turns
--   claimed  zset    provider -> when its last probe was handed out, ms
--   rounds   hash    the clock, the pace of all and the next start
-- ARGV
--   max      integer  at most so many
--   idle_ms  integer  none, unless nobody has asked for so long, ms; 0: whoever asked
-- Returns
--   status      text     ok
--   now_ms      integer  time of the schedule
--   idle        boolean  whether nobody had asked for idle_ms; without it the rest is empty
--   claimed     json     [id, interval_ms], ...
--   next_in_ms  integer  until the next may be handed out, ms; empty when none is planned

local keys = { due = KEYS[1], paces = KEYS[2], claimed = KEYS[3], rounds = KEYS[4] }
local max = tonumber(ARGV[1])
local idle_ms = tonumber(ARGV[2])

-- @include lib/schedule

-- Starts that were not used may be made up for within this, ms.
local BURST_MS = 100

local rounds, now = open_rounds(keys.rounds)
if now - rounds.claimed_at_ms < idle_ms then
  return { 'ok', as_text(now), '0', '', '' }
end
rounds.claimed_at_ms = now
local step, now_us = step_us(rounds), now * 1000
local start_us = math.max(rounds.next_start_us, now_us - BURST_MS * 1000)
local free = math.max(0, math.min(max, math.floor((now_us - start_us) / step) + 1))
local ids = redis.call('ZRANGEBYSCORE', keys.due, '-inf', as_text(now), 'LIMIT', 0, as_text(free))

local claimed, turns, times = {}, {}, {}
for i, pace in ipairs(#ids > 0 and redis.call('HMGET', keys.paces, unpack(ids)) or {}) do
  local id = ids[i]
  local interval_ms, spread = read_pace(pace)
  if interval_ms then
    turns[#turns + 1] = as_text(next_turn(now, interval_ms, spread))
    turns[#turns + 1] = id
    times[#times + 1] = as_text(now)
    times[#times + 1] = id
    claimed[#claimed + 1] = '["' .. id .. '",' .. as_text(interval_ms) .. ']'
  else
    redis.call('ZREM', keys.due, id)
  end
end
if #claimed > 0 then
  redis.call('ZADD', keys.due, unpack(turns))
  redis.call('ZADD', keys.claimed, unpack(times))
  rounds.next_start_us = start_us + #claimed * step
end
save_rounds(keys.rounds, rounds)

local next_in_ms = ''
local first = redis.call('ZRANGE', keys.due, 0, 0, 'WITHSCORES')
if first[2] then
  local until_start_ms = math.ceil((rounds.next_start_us - now_us) / 1000)
  next_in_ms = as_text(math.max(0, tonumber(first[2]) - now, until_start_ms))
end
return { 'ok', as_text(now), '1', '[' .. table.concat(claimed, ',') .. ']', next_in_ms }
