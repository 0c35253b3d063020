-- The rate window as a reader sees it: calls, failures, degraded calls, and their shares, which are not told of too few
-- calls.

-- @include lib/judgement
-- @include lib/call_window

local function view_window(provider)
  local PARTS, window = 10000, window_of(provider)
  if not window or window.calls == 0 then
    return nil
  end
  local calls, failures, degraded = window.calls, window.failures, window.degraded
  if calls < judgement(provider).minimum_calls then
    return calls, failures, degraded
  end
  return calls, failures, degraded, math.floor(failures * PARTS / calls) / PARTS,
    math.floor((failures + degraded) * PARTS / calls) / PARTS
end
