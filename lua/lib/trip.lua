-- The trip rules: each says whether a run of equal failures opens a closed circuit. The same as src/rules/trip/.
--
-- A rule is given the counts before the run, the number of failures in the run, and the settings. It returns which
-- failure opens the circuit, from 1, and why, in at most 64 bytes; nil: none does. The rule that opens first wins.

-- @include lib/trip_consecutive

-- The counts before the run, which a rule judges by. in_a_row: failures in a row, of outcomes of this origin.
local function counts_before(provider, origin, in_a_row)
  local circuit = provider.circuit
  return {
    origin = origin,
    in_a_row = in_a_row,
    window_total = circuit.history_total,
    window_failed = (circuit.history_failed or 0) + 0,
  }
end

local function find_trip(provider, counts, failures)
  local opening, why
  for _, rule in ipairs({ trip_consecutive }) do
    local at, reason = rule(counts, failures, provider.settings)
    if at and (not opening or at < opening) then
      opening, why = at, reason
    end
  end
  return opening, why
end
