-- The everyday batch: calls of the generation in force, too few failures to open the circuit. What it does is what
-- lib/breaker would do; everything else is left to that.

-- What a batch comes to if it changes no more than the run of failures: how many outcomes, that run, and what the
-- history takes. nil when there is more to it.
local function judge_everyday(batch, generation, failures, threshold)
  local applied, lasting = 0, {}
  for i = 1, #batch do
    local origin, outcome, count, run_generation = unpack(batch[i])
    if origin ~= 'call' or run_generation ~= generation or batch[i][10] then
      return nil
    elseif outcome == 'healthy' or outcome == 'degraded' then
      failures = 0
    elseif outcome == 'unhealthy' or outcome == 'timeout' or outcome == 'terminated' then
      failures = failures + count
    else
      return nil
    end
    if failures >= threshold then
      return nil
    end
    applied = applied + count
    lasting[i] = { outcome = outcome, count = count }
  end
  return applied, failures, lasting
end
