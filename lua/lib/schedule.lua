-- When the probes of one shard are due. `rounds` keeps what holds for the shard as a whole.

-- @include lib/text
-- @include lib/time

-- After a gap the fleet catches up at this many times its usual pace.
local CATCH_UP = 1.5
-- A small fleet may begin so many probes a second, whatever its pace is.
local LEAST_PER_SECOND = 50
-- The least share of an interval between two probes that one schedule plans.
local LEAST_GAP = 0.75

-- last_now_ms, clock_offset_ms   the clock
-- next_start_us                  no probe is handed out before; a row of slots, as wide as the pace allows
-- claimed_at_ms                  when somebody last asked for what is due
-- pace                           probes that are due in a million seconds, of all providers together
local ROUNDS = { 'last_now_ms', 'clock_offset_ms', 'next_start_us', 'claimed_at_ms', 'pace' }

local function open_rounds(key)
  local raw = redis.call('HMGET', key, unpack(ROUNDS))
  local rounds = {}
  for i, field in ipairs(ROUNDS) do
    rounds[field] = tonumber(raw[i] or 0)
  end
  return rounds, advance_clock(rounds, clock_reading_ms())
end

local function save_rounds(key, rounds)
  local values = {}
  for _, field in ipairs(ROUNDS) do
    values[#values + 1] = field
    values[#values + 1] = as_text(rounds[field])
  end
  redis.call('HSET', key, unpack(values))
end

-- Between two starts, us.
local function step_us(rounds)
  return math.floor(1e6 / math.max(LEAST_PER_SECOND, CATCH_UP * rounds.pace / 1e6))
end

local function pace_of(interval_ms)
  return math.floor(1e9 / interval_ms)
end

-- A pace as it is stored: the interval, and where in it this provider's turn is, so that the turns of many are spread.
local function read_pace(text)
  local interval_ms, spread = string.match(text or '', '^(%d+):(%d+)$')
  return tonumber(interval_ms), tonumber(spread)
end

-- The provider's first turn that is far enough from a probe which began at since_ms.
local function next_turn(since_ms, interval_ms, spread)
  local earliest = since_ms + math.ceil(interval_ms * LEAST_GAP)
  return earliest + (spread - earliest) % interval_ms
end

-- Ends the schedule of a provider. True when there was one.
local function drop(keys, rounds, id)
  local interval_ms = read_pace(redis.call('HGET', keys.paces, id))
  if not interval_ms then
    return false
  end
  rounds.pace = math.max(0, rounds.pace - pace_of(interval_ms))
  redis.call('HDEL', keys.paces, id)
  redis.call('ZREM', keys.due, id)
  redis.call('ZREM', keys.claimed, id)
  return true
end
