-- Good calls in the rate window. Nearly every batch has none else, and they change two numbers: the rest of the text stays
-- as it is.

-- Whether it counted them, as lib/rate_window would; false: the window has to be read whole. A window of another width has
-- another number for its newest bucket.
local function count_good_calls(provider, width_ms, n)
  local key = provider.keys.window
  local newest = as_text(math.floor(provider.now / math.floor(width_ms / 10)))
  local calls, in_newest, number, generation, rest =
    string.match(redis.call('HGET', key, 'sums') or '', '^(%d+) (%d+) (%d+) (%d+) (.*)$')
  if number ~= newest or generation ~= provider.circuit.generation then
    return false
  end
  redis.call('HSET', key, 'sums', string.format('%d %d %s %s %s', calls + n, in_newest + n, newest, generation, rest))
  return true
end
