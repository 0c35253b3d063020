-- Opens after so many failures in a row, of calls or of probes. The same rule as src/rules/trip/consecutive.ts.

-- threshold: nil where no number of failures opens.
local function trip_consecutive(counts, failures, threshold)
  if counts.bad ~= 'failed' or (counts.backing and not counts.backing.run) or not threshold then
    return nil
  end
  local missing = math.max(1, threshold - counts.in_a_row)
  if failures < missing then
    return nil
  end
  local what = counts.origin == 'probe' and 'failed probes' or 'failures'
  return missing, string.format('%d consecutive %s', counts.in_a_row + missing, what)
end
