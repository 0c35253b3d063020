-- The everyday call: the circuit is closed, nothing is marked, the caller knows the newest version, and time went
-- forward. Nearly all calls are such, so `admit` and `record` answer them first, out of few fields. Whatever is not
-- everyday begins anew with the whole circuit, and what only it needs stands further down in the script: Lua comes to a
-- function's definition only then, and making one costs something at every call.

-- @include lib/now

-- Provider time, generation and outcomes applied, then the fields asked for, as text; nil unless it is an everyday call.
-- What it answers is text; `+ 0` makes a number of it, at a third of what tonumber costs.
-- Registered providers only: whoever sees that the settings are missing must not use the answer.
local function read_everyday(keys, caller, ...)
  local raw = redis.call(
    'HMGET', keys.circuit,
    'state', 'mark', 'version', 'last_now_ms', 'clock_offset_ms', 'generation', 'applied', ...
  )
  if raw[1] ~= 'closed' or raw[2] ~= '' or raw[3] + 0 ~= caller.known_version then
    return nil
  end
  local now = clock_reading_ms() + raw[5]
  if now < raw[4] + 0 then
    return nil
  end
  return now, unpack(raw, 6)
end
