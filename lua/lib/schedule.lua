-- The schedule of probes of one shard. The hash `schedule` has the fields of the shard as a whole.

-- @include lib/text
-- @include lib/time

-- After a gap the fleet catches up at this multiple of its usual rate. Without a limit all providers would be probed at
-- once.
local CATCH_UP = 1.5
-- Probes a second that even a small fleet may begin.
local LEAST_PER_SECOND = 50
-- The least distance of two planned probes of a provider, as a share of its interval.
local LEAST_GAP = 0.75

-- last_now_ms, clock_offset_ms   the clock
-- next_start_us                  no probe is handed out before; slots follow each other as closely as the rate allows
-- claimed_at_ms                  when the planner last asked for what is due
-- checked_at_ms                  when a planner was last asked to check the jobs that the queue repeats
-- rate                           probes that are due in a million seconds, of all providers together
local FIELDS = { 'last_now_ms', 'clock_offset_ms', 'next_start_us', 'claimed_at_ms', 'checked_at_ms', 'rate' }

local function open_schedule(key)
  local raw = redis.call('HMGET', key, unpack(FIELDS))
  local schedule = {}
  for i, field in ipairs(FIELDS) do
    schedule[field] = tonumber(raw[i] or 0)
  end
  return schedule, advance_clock(schedule, clock_reading_ms())
end

local function save_schedule(key, schedule)
  local values = {}
  for _, field in ipairs(FIELDS) do
    values[#values + 1] = field
    values[#values + 1] = as_text(schedule[field])
  end
  redis.call('HSET', key, unpack(values))
end

-- The time between two starts, us.
local function step_us(schedule)
  return math.floor(1e6 / math.max(LEAST_PER_SECOND, CATCH_UP * schedule.rate / 1e6))
end

local function rate_of(interval_ms)
  return math.floor(1e9 / interval_ms)
end

-- Reads an interval as it is stored, `<ms>:<spread>:<needs>`. The spread says where in the interval the turn is, so that
-- the turns of many providers are spread. What its probes need of a worker is
-- `function/<name>` or `process/<name>`; empty: any worker can make them.
local function read_interval(text)
  local interval_ms, spread, needs = string.match(text or '', '^(%d+):(%d+):(.*)$')
  return tonumber(interval_ms), tonumber(spread), needs
end

-- The provider's first turn that is far enough from a probe that began at since_ms.
local function next_turn(since_ms, interval_ms, spread)
  local earliest = since_ms + math.ceil(interval_ms * LEAST_GAP)
  return earliest + (spread - earliest) % interval_ms
end

-- The member of `one_offs` for a probe besides the turns: `early:<id>` or `recovery:<id>`.
local function one_off_member(reason, id)
  return reason .. ':' .. id
end

-- Ends the turns of a provider, and a probe that was brought forward. Returns whether there were any.
local function drop(keys, schedule, id)
  local interval_ms = read_interval(redis.call('HGET', keys.intervals, id))
  if not interval_ms then
    return false
  end
  schedule.rate = math.max(0, schedule.rate - rate_of(interval_ms))
  redis.call('HDEL', keys.intervals, id)
  redis.call('ZREM', keys.due, id)
  redis.call('ZREM', keys.claimed, id)
  redis.call('ZREM', keys.one_offs, one_off_member('early', id))
  return true
end
