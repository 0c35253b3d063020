-- The sliding history: a sorted set of `<seq>:<status>:<count>`, score = ms of the run's first outcome.
-- The same rules as src/rules/history.ts. seq has leading zeros, because members of equal score sort as text.

-- Stale members that one write evicts at most: O(log n + 1000).
local EVICT_LIMIT = 1000
-- Members above which the oldest are coalesced ...
local COALESCE_ABOVE = 1000
-- ... once this many are not coalesced yet, so that the work comes in lumps and not at every write;
local FRESH_ABOVE = 750
-- ... and this many stay as they are.
local KEEP_FRESH = 500
-- ... and no more than this many are looked at in one write.
local COALESCE_LIMIT = 2000

local function parse_member(member)
  local seq, status, count = string.match(member, '^(%d+):(%a+):(%d+)$')
  return tonumber(seq), status, tonumber(count)
end

local function format_member(seq, status, count)
  return string.format('%012.0f:%s:%.0f', seq, status, count)
end

-- A 200th of the window: how long a run grows, and how wide a bucket is.
local function bucket_ms(settings)
  return math.max(1, math.floor(settings.window_ms / 200))
end

local function add_to_totals(circuit, status, count)
  circuit.history_total = circuit.history_total + count
  if status == 'healthy' then
    circuit.history_healthy = circuit.history_healthy + count
  end
end

-- The newest run, or nil.
local function newest_run(key)
  local found = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  if not found[1] then
    return nil
  end
  local seq, status, count = parse_member(found[1])
  return { member = found[1], seq = seq, status = status, count = count, at_ms = tonumber(found[2]) }
end

-- A run exactly as old as the window stays. If even the newest is too old, everything goes at once.
-- O(evicted). Returns the newest run that is left.
local function evict_stale(provider)
  local key, circuit = provider.keys.history, provider.circuit
  local cutoff = provider.now - provider.settings.window_ms
  local newest = newest_run(key)
  if newest and newest.at_ms < cutoff then
    redis.call('DEL', key)
    circuit.history_total, circuit.history_healthy, circuit.history_coalesced_to_ms = 0, 0, 0
    return nil
  end
  local stale = newest
    and redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. as_text(cutoff), 'LIMIT', 0, EVICT_LIMIT)
    or {}
  for _, member in ipairs(stale) do
    local _, status, count = parse_member(member)
    add_to_totals(circuit, status, -count)
  end
  if #stale > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, #stale - 1)
  end
  return newest
end

-- Adds a run after `newest`, or lets that grow. Returns the newest run.
local function append_run(provider, newest, status, count)
  local key, now = provider.keys.history, provider.now
  add_to_totals(provider.circuit, status, count)
  if newest and newest.status == status and now - newest.at_ms < bucket_ms(provider.settings) then
    redis.call('ZREM', key, newest.member)
    newest.count = newest.count + count
  else
    newest = { seq = (newest and newest.seq or 0) + 1, status = status, count = count, at_ms = now }
  end
  newest.member = format_member(newest.seq, status, newest.count)
  redis.call('ZADD', key, as_text(newest.at_ms), newest.member)
  return newest
end

-- Takes the oldest outcomes until max_records are left; may split a member. O(members taken).
local function evict_excess(provider)
  local key, circuit = provider.keys.history, provider.circuit
  while circuit.history_total > provider.settings.max_records do
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local seq, status, count = parse_member(oldest[1])
    local taken = math.min(count, circuit.history_total - provider.settings.max_records)
    redis.call('ZREM', key, oldest[1])
    if taken < count then
      redis.call('ZADD', key, oldest[2], format_member(seq, status, count - taken))
    end
    add_to_totals(circuit, status, -taken)
  end
end

-- Merges the members of each bucket and status into the first of them. O(members merged).
local function coalesce(provider)
  local key, circuit = provider.keys.history, provider.circuit
  if redis.call('ZCARD', key) <= COALESCE_ABOVE then
    return
  end
  local from = as_text(circuit.history_coalesced_to_ms)
  local fresh = redis.call('ZCOUNT', key, from, '+inf')
  if fresh <= FRESH_ABOVE then
    return
  end
  local limit = math.min(fresh - KEEP_FRESH, COALESCE_LIMIT)
  local old = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  local width = bucket_ms(provider.settings)
  local groups, order = {}, {}
  for i = 1, #old, 2 do
    local seq, status, count = parse_member(old[i])
    local bucket = math.floor(tonumber(old[i + 1]) / width)
    local name = bucket .. ':' .. status
    local group = groups[name]
    if not group then
      group = { seq = seq, status = status, count = 0, score = old[i + 1], members = {} }
      groups[name] = group
      order[#order + 1] = group
    end
    group.count = group.count + count
    group.members[#group.members + 1] = old[i]
    circuit.history_coalesced_to_ms = bucket * width
  end
  for _, group in ipairs(order) do
    if #group.members > 1 then
      redis.call('ZREM', key, unpack(group.members))
      redis.call('ZADD', key, group.score, format_member(group.seq, group.status, group.count))
    end
  end
end

-- Writes runs of outcomes that end now.
local function append_runs(provider, runs)
  local newest = evict_stale(provider)
  for _, run in ipairs(runs) do
    newest = append_run(provider, newest, run.outcome, run.count)
  end
  evict_excess(provider)
  coalesce(provider)
end

-- What a reader sees: total, healthy, and how much of the window the kept records cover. O(stale).
local function view_history(provider)
  local key, circuit, settings = provider.keys.history, provider.circuit, provider.settings
  local cutoff = provider.now - settings.window_ms
  local total, healthy = circuit.history_total, circuit.history_healthy
  local newest = newest_run(key)
  if not newest or newest.at_ms < cutoff then
    return 0, 0, settings.window_ms
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. as_text(cutoff))) do
    local _, status, count = parse_member(member)
    total = total - count
    healthy = status == 'healthy' and healthy - count or healthy
  end
  if total < settings.max_records then
    return total, healthy, settings.window_ms
  end
  local oldest = redis.call('ZRANGEBYSCORE', key, as_text(cutoff), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return total, healthy, provider.now - tonumber(oldest[2])
end
