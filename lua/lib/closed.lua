-- Counts outcomes of calls, and good results of probes, on a closed circuit, and adds them to the history, up to the one
-- that opens the circuit. The same rules as src/rules/closed.ts.

-- @include lib/outcomes
-- @include lib/history
-- @include lib/call_window

-- Counts good calls in the rate window, after those that are counted there already.
local function rate_good_calls(provider, window, width_ms, n)
  if not window then
    -- @include lib/good_calls
    if count_good_calls(provider, width_ms, n) then
      return
    end
    window = window_of(provider)
  end
  window.count(provider, window, 'healthy', n)
end

-- Counts the runs of a batch in their order, and returns the number of the first that asks for more. That is a run
-- which opens the circuit, is of another generation, is no plain success or failure of a call, or is a probe's and takes
-- something back. With a quorum each does.
local function count_runs(provider, runs)
  local circuit, touched = provider.circuit, provider.touched
  circuit.consecutive_failures = (circuit.consecutive_failures or 0) + 0
  local failures, applied, i = circuit.consecutive_failures, circuit.applied or 0, 1
  local width_ms, window, good = nil, nil, 0
  if circuit.judged_by then
    -- @include lib/judgement
    width_ms = rates_alone_ms(circuit.judged_by)
    if not width_ms then
      return 1
    end
  end
  while i <= #runs do
    local origin, outcome, count, run_generation = unpack(runs[i], 1, 4)
    local bad = failed(outcome)
    if bad == nil or run_generation ~= circuit.generation then
      break
    elseif origin == 'probe' then
      -- @include lib/closed_probe
      if bad or not takes_nothing_back(provider, runs[i]) then
        break
      end
      note_good_probe(provider, runs[i])
    elseif origin ~= 'call' then
      break
    elseif not bad and not (width_ms and outcome == 'degraded') then
      failures, good = 0, good + count
    else
      -- @include lib/trip
      if width_ms then
        window = window or window_of(provider)
        if good > 0 then
          window.count(provider, window, 'healthy', good)
          good = 0
        end
      end
      if find_trip(provider, counts_before(origin, outcome, failures, window), count) then
        break
      end
      failures = bad and failures + count or 0
      if window then
        window.count(provider, window, outcome, count)
      end
    end
    applied = applied + count
    append_run(provider, outcome, count, runs[i][10])
    i = i + 1
  end
  if width_ms and good > 0 then
    rate_good_calls(provider, window, width_ms, good)
  end
  put(provider, 'consecutive_failures', failures)
  circuit.applied, touched.applied = applied, true
  return i
end
