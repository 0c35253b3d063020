-- Batches out of the ordinary: of processes that are new to the book, sent twice, or with results of another kind.
-- Entries idle for ten minutes are forgotten, a few whenever a new one appears, so that the book follows the number of
-- living processes.

-- @include lib/book

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
  local last = last_sequence(provider.keys, incarnation)
  if not last then
    forget_idle(provider)
    return resent and 'forgotten' or 'new'
  end
  return sequence <= last and 'duplicate' or 'new'
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
    age_ms = fields[10],
  }
end
