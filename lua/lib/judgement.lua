-- The settings of the rate rules and of the quorum. The circuit has a copy of them, `judged_by`, so that a batch needs no
-- second look at the config, and so that rules that are off cost nothing.

-- The width of the rate window where rates alone judge the calls, as text; nil where a quorum is set too. It costs a
-- quarter of the whole, and is all that a good call needs.
local function rates_alone_ms(judged_by)
  return string.match(judged_by, '^(%d+) 1 ')
end

-- Parses the copy, once in a script; nil: all are off. Rates are in ten-thousandths; 0: off.
local function judgement(provider)
  local text = provider.circuit.judged_by
  if not text then
    return nil
  elseif provider.judged_by ~= text then
    local rate_window_ms, quorum, grace_ms, failure_rate, degraded_rate, minimum_calls =
      string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
    provider.judged_by = text
    provider.judgement = {
      failure_rate = failure_rate + 0,
      degraded_rate = degraded_rate + 0,
      minimum_calls = minimum_calls + 0,
      rate_window_ms = rate_window_ms + 0,
      quorum = quorum + 0,
      grace_ms = grace_ms + 0,
      rates = failure_rate ~= '0' or degraded_rate ~= '0',
    }
  end
  return provider.judgement
end
