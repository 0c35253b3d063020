-- The trip rules: each says whether a run of equal bad outcomes opens a closed circuit. The same as src/rules/trip/.
--
-- A rule is given the counts before the run, the number of outcomes in the run, and the settings. It returns which
-- outcome opens the circuit, from 1, and why, in at most 64 bytes; nil: none does. The rule that opens first wins.

-- @include lib/failure_threshold
-- @include lib/trip_consecutive

-- The counts before the run, which a rule judges by; `backing` is added where a quorum is set. in_a_row: failures in a row, of outcomes of this origin. window: the
-- rate window of a call; nil where there is none.
local function counts_before(origin, outcome, in_a_row, window)
  return {
    origin = origin,
    bad = failed(outcome) and 'failed' or 'degraded',
    in_a_row = in_a_row,
    window = window and window.mature and window or nil,
  }
end

local function find_trip(provider, counts, run)
  local opening, why = trip_consecutive(counts, run, failure_threshold(provider))
  if counts.window then
    -- @include lib/judgement
    -- @include lib/trip_rate
    for _, rule in ipairs({ trip_failure_rate, trip_degraded_rate }) do
      local at, reason = rule(counts, run, judgement(provider))
      if at and (not opening or at < opening) then
        opening, why = at, reason
      end
    end
  end
  return opening, why
end
