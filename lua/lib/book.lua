-- The book of batches: per incarnation `<last applied sequence>:<ms>`.

-- The sequence of the last batch of an incarnation that was applied; nil when the book does not know it.
local function last_sequence(keys, incarnation)
  local entry = redis.call('HGET', keys.batches, incarnation)
  return entry and string.match(entry, '^%d+') + 0
end

local function note_batch(keys, incarnation, sequence, now)
  redis.call('HSET', keys.batches, incarnation, sequence .. ':' .. now)
end
