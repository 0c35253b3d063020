-- The way to the rate window, which only some batches go.

-- The window of calls (lib/rate_window); nil where no rate rule is on.
local function window_of(provider)
  if provider.circuit.judged_by then
    -- @include lib/rate_window
    return rate_window(provider)
  end
end
