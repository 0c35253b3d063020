-- Open when the share of bad calls in the rate window reaches a limit. The same rules as src/rules/trip/rate.ts. `rules`:
-- what lib/judgement gives; rates are in ten-thousandths, so that Lua and TypeScript agree.

-- 3333 as `33.33`, 5000 as `50`.
local function percent(parts)
  local whole, rest = math.floor(parts / 100), parts % 100
  if rest == 0 then
    return string.format('%d', whole)
  elseif rest % 10 == 0 then
    return string.format('%d.%d', whole, rest / 10)
  end
  return string.format('%d.%02d', whole, rest)
end

-- The first outcome of the run at which the rate holds. With T calls and F bad ones before it, the k-th makes F + k of
-- T + k, which reaches r when k >= (r T - F) / (1 - r); a rate of 1 is reached only where no call was good.
local function reach(what, limit, calls, before, run, minimum_calls)
  local PARTS = 10000
  if limit == PARTS and before ~= calls then
    return nil
  end
  local missing = limit == PARTS and 1 or math.ceil((limit * calls - PARTS * before) / (PARTS - limit))
  local at = math.max(1, minimum_calls - calls, missing)
  if at > run then
    return nil
  end
  local share = math.floor(100 * (before + at) / (calls + at))
  return at, string.format('%s %d %% of %d calls (limit %s %%)', what, share, calls + at, percent(limit))
end

local function trip_failure_rate(counts, run, rules)
  if rules.failure_rate == 0 or counts.bad ~= 'failed' or (counts.backing and not counts.backing.failures) then
    return nil
  end
  local window = counts.window
  return reach('failure rate', rules.failure_rate, window.calls, window.failures, run, rules.minimum_calls)
end

local function trip_degraded_rate(counts, run, rules)
  if rules.degraded_rate == 0 or (counts.backing and not counts.backing.poor) then
    return nil
  end
  local window = counts.window
  local before = window.failures + window.degraded
  return reach('degraded rate', rules.degraded_rate, window.calls, before, run, rules.minimum_calls)
end
