-- The ids of batches: per incarnation of a process `<last applied sequence>:<ms>`.

-- The sequence of the last batch of an incarnation that was applied; nil when it is not known.
local function last_sequence(keys, incarnation)
  local entry = redis.call('HGET', keys.batches, incarnation)
  return entry and string.match(entry, '^%d+') + 0
end

local function note_batch(keys, incarnation, sequence, now)
  redis.call('HSET', keys.batches, incarnation, string.format('%d:%d', sequence, now))
end
