-- Redis's clock, in whole milliseconds. A script reads it once, at its top, because TIME moves on while a script runs.
-- Tests splice another file in place of this one, and so move time.

local function clock_reading_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
