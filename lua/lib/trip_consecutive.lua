-- Opens after so many failures in a row, of calls or of probes. The same rule as src/rules/trip/consecutive.ts.

local function trip_consecutive(counts, failures, settings)
  if counts.bad ~= 'failed' or (counts.backing and not counts.backing.run) or not settings.failure_threshold then
    return nil
  end
  local missing = math.max(1, settings.failure_threshold - counts.in_a_row)
  if failures < missing then
    return nil
  end
  local what = counts.origin == 'probe' and 'failed probes' or 'failures'
  return missing, string.format('%d consecutive %s', counts.in_a_row + missing, what)
end
