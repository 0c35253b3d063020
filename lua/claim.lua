-- claim: hands the due probes to the planner, and plans the next turn of each provider.
-- Early and recovery probes come first, then the longest due. A probe that was handed out belongs to the caller alone.
-- While the queue is paused or full, nothing is handed out: it stays in the schedule. O(max x log providers).
--
-- KEYS
--   due        zset    provider -> when its next turn is, ms
--   intervals  hash    provider -> interval in ms, where in it the turn is, what its probes need
--   claimed    zset    provider -> when its last probe was handed out, ms
--   one_offs   zset    early:<provider> or recovery:<provider> -> when this probe besides the turns is due, ms
--   schedule   hash    the clock, the rate of all, the next start, the planner
--   wait       list    jobs of the queue that wait for a worker
--   meta       hash    the queue's own settings; it has the field paused while the queue is paused
-- ARGV
--   planner        text     the caller's own name
--   take_after_ms  integer  the caller replaces a planner that has not asked for this long, ms; 0: any planner
--   max            integer  probes to hand out at most
--   max_waiting    integer  jobs that may wait in the queue
--   check_ms       integer  how often a planner is to check the jobs that the queue repeats, ms
--   full           json     [needs, ...]: those whose queues are full
-- Returns
--   status      text     ok
--   now_ms      integer  time of the schedule
--   planner     boolean  whether the caller is the planner now; without it the rest is empty
--   check       boolean  whether the planner is to check the jobs that the queue repeats
--   claimed     json     [id, interval_ms, needs, why], ...
--   next_in_ms  integer  until the next may be handed out, ms; empty when none is planned

local keys = {
  due = KEYS[1],
  intervals = KEYS[2],
  claimed = KEYS[3],
  one_offs = KEYS[4],
  schedule = KEYS[5],
  wait = KEYS[6],
  meta = KEYS[7],
}
local planner = ARGV[1]
local take_after_ms = tonumber(ARGV[2])
local max = tonumber(ARGV[3])
local max_waiting = tonumber(ARGV[4])
local check_ms = tonumber(ARGV[5])
local full = cjson.decode(ARGV[6])

-- @include lib/schedule

-- Unused starts may be made up for within this, ms: without it, a planner that asks a little late would lose them.
local BURST_MS = 100
-- A probe whose own queue is full is looked at again after this, ms. Left at the head, it would hold up all behind it.
local FULL_RETRY_MS = 100

local schedule, now = open_schedule(keys.schedule)
local present = redis.call('HGET', keys.schedule, 'planner')
local taken = present == planner or now - schedule.claimed_at_ms >= take_after_ms
if not taken or redis.call('HEXISTS', keys.meta, 'paused') == 1 then
  return { 'ok', as_text(now), '0', '0', '', '' }
end
local check = now - schedule.checked_at_ms >= check_ms
if check then
  schedule.checked_at_ms = now
end
if present ~= planner then
  redis.call('HSET', keys.schedule, 'planner', planner)
end
schedule.claimed_at_ms = now
local step, now_us = step_us(schedule), now * 1000
local start_us = math.max(schedule.next_start_us, now_us - BURST_MS * 1000)
local free = math.min(max, math.floor((now_us - start_us) / step) + 1)
if redis.call('LLEN', keys.wait) >= max_waiting then
  free = 0
end

local is_full = {}
for _, needs in ipairs(full) do
  is_full[needs] = true
end
local claimed = {}

-- why: the reason of each; nil: its turn has come. An id without an interval has been unscheduled since, and is dropped.
local function hand_out(ids, why)
  local turns, times = {}, {}
  for i, interval in ipairs(#ids > 0 and redis.call('HMGET', keys.intervals, unpack(ids)) or {}) do
    local id, reason = ids[i], why and why[i] or 'scheduled'
    local interval_ms, spread, needs = read_interval(interval)
    if interval_ms and is_full[needs] then
      local key, member = keys.due, id
      if why then
        key, member = keys.one_offs, one_off_member(reason, id)
      end
      redis.call('ZADD', key, as_text(now + FULL_RETRY_MS), member)
    elseif interval_ms then
      turns[#turns + 1] = as_text(next_turn(now, interval_ms, spread))
      turns[#turns + 1] = id
      times[#times + 1] = as_text(now)
      times[#times + 1] = id
      claimed[#claimed + 1] = string.format('["%s",%d,"%s","%s"]', id, interval_ms, needs, reason)
    else
      redis.call('ZREM', keys.due, id)
    end
  end
  if #turns > 0 then
    redis.call('ZADD', keys.due, unpack(turns))
    redis.call('ZADD', keys.claimed, unpack(times))
  end
end

local function due_members(key, most)
  return most > 0 and redis.call('ZRANGEBYSCORE', key, '-inf', as_text(now), 'LIMIT', 0, as_text(most)) or {}
end

-- A one-off probe counts as the provider's turn, so that the next one is an interval away and not right behind it.
local one_offs = due_members(keys.one_offs, free)
if #one_offs > 0 then
  redis.call('ZREM', keys.one_offs, unpack(one_offs))
  local ids, why, seen = {}, {}, {}
  for _, member in ipairs(one_offs) do
    local reason, id = string.match(member, '^(%l+):(.*)$')
    if id and not seen[id] then
      seen[id] = true
      ids[#ids + 1], why[#why + 1] = id, reason
    end
  end
  hand_out(ids, why)
end
hand_out(due_members(keys.due, free - #claimed))
if #claimed > 0 then
  schedule.next_start_us = start_us + #claimed * step
end
save_schedule(keys.schedule, schedule)

local first_ms
for _, key in ipairs({ keys.due, keys.one_offs }) do
  local score = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or '')
  if score and (not first_ms or score < first_ms) then
    first_ms = score
  end
end
local next_in_ms = ''
if first_ms then
  local until_start_ms = math.ceil((schedule.next_start_us - now_us) / 1000)
  next_in_ms = as_text(math.max(0, first_ms - now, until_start_ms))
end
return { 'ok', as_text(now), '1', check and '1' or '0', '[' .. table.concat(claimed, ',') .. ']', next_in_ms }
