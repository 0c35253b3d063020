-- The book of batches: per incarnation `<last applied sequence>:<ms>`. Those idle for ten minutes are
-- forgotten, a few whenever a new one appears, so that the book follows the number of living processes.

local IDLE_MS = 600000
local SAMPLE = 5

local function forget_idle(provider)
  local sampled = redis.call('HRANDFIELD', provider.keys.batches, SAMPLE, 'WITHVALUES')
  for i = 1, #sampled, 2 do
    local used_ms = tonumber(string.match(sampled[i + 1], ':(%d+)$'))
    if provider.now - used_ms > IDLE_MS then
      redis.call('HDEL', provider.keys.batches, sampled[i])
    end
  end
end

-- new, duplicate, or forgotten: sent before, and the book does not know whether it was applied.
local function look_up_batch(provider, incarnation, sequence, resent)
  local entry = redis.call('HGET', provider.keys.batches, incarnation)
  if not entry then
    forget_idle(provider)
    return resent and 'forgotten' or 'new'
  end
  local last = tonumber(string.match(entry, '^(%d+):'))
  return sequence <= last and 'duplicate' or 'new'
end

local function note_batch(provider, incarnation, sequence)
  redis.call('HSET', provider.keys.batches, incarnation, as_text(sequence) .. ':' .. as_text(provider.now))
end

-- A run as the wire carries it, with its names.
local function read_run(fields)
  return {
    origin = fields[1],
    outcome = fields[2],
    count = fields[3],
    generation = fields[4],
    token = fields[5],
    retry_after_ms = fields[6],
    settings_revision = fields[7],
    mark_version = fields[8],
    detail = fields[9],
  }
end
