-- Batch ids: for each incarnation of a process `<last applied sequence>:<ms>`.

-- The last applied sequence of an incarnation; nil when the incarnation is not known.
local function last_sequence(keys, incarnation)
  local entry = redis.call('HGET', keys.batches, incarnation)
  return entry and string.match(entry, '^%d+') + 0
end

local function note_batch(keys, incarnation, sequence, now)
  redis.call('HSET', keys.batches, incarnation, string.format('%d:%d', sequence, now))
end
