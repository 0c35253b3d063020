-- Time that only goes forward, kept in a table of state.

-- @include lib/now

-- The clock may step back (NTP, failover). A reading below the last one raises the offset by the difference, for good;
-- otherwise deadlines would move away.
local function advance_clock(state, reading)
  local now = reading + state.clock_offset_ms
  if now < state.last_now_ms then
    state.clock_offset_ms = state.clock_offset_ms + state.last_now_ms - now
    now = state.last_now_ms
  end
  state.last_now_ms = now
  return now
end
