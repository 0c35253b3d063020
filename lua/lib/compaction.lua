-- Compaction of the history: outcomes that are too old or too many are evicted, and many members are merged into few.

-- @include lib/text

-- Evicts runs older than the window; one exactly as old stays. If even the newest is too old, the whole key is deleted.
-- One write evicts a thousand members at most, so that it cannot block Redis: O(log n + 1000).
local function evict_stale(provider)
  local key, circuit = provider.keys.history, provider.circuit
  local cutoff = provider.now - provider.settings.window_ms
  if circuit.history_newest_at_ms + 0 < cutoff then
    redis.call('DEL', key)
    put(provider, 'history_total', 0)
    put(provider, 'history_healthy', 0)
    put(provider, 'history_failed', 0)
    put(provider, 'history_newest', nil)
    put(provider, 'history_coalesced_to_ms', 0)
    return
  end
  local stale = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. as_text(cutoff), 'LIMIT', 0, 1000)
  for _, member in ipairs(stale) do
    local status, count = string.match(member, '^%d+:([^:]+):(%d+)$')
    count_in_history(provider, status, -count)
  end
  if #stale > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, #stale - 1)
  end
  put(provider, 'history_oldest_at_ms', tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]))
end

-- Evicts the oldest outcomes until max_records are left; may split a member. O(members evicted).
local function evict_excess(provider)
  local key, circuit = provider.keys.history, provider.circuit
  local excess = circuit.history_total - provider.settings.max_records
  while excess > 0 do
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local head, status, count = string.match(oldest[1], '^(%d+:([^:]+):)(%d+)$')
    local taken = math.min(count, excess)
    redis.call('ZREM', key, oldest[1])
    if taken < count + 0 then
      local rest = head .. as_text(count - taken)
      redis.call('ZADD', key, oldest[2], rest)
      if oldest[1] == circuit.history_newest then
        put(provider, 'history_newest', rest)
      end
    end
    excess = excess - taken
    count_in_history(provider, status, -taken)
  end
end

-- Merges the members of each bucket and status into the first of them. It waits until there are enough, because merging
-- at every write would cost more than it saves. The newest members stay as they are. O(members merged).
local function coalesce(provider, width)
  local FRESH_ABOVE, KEEP_FRESH, LIMIT = 750, 500, 2000
  local key = provider.keys.history
  local from = (provider.circuit.history_coalesced_to_ms or 0) + 0
  local fresh = redis.call('ZCOUNT', key, as_text(from), '+inf')
  if fresh <= FRESH_ABOVE then
    return
  end
  local limit = math.min(fresh - KEEP_FRESH, LIMIT)
  local old = redis.call('ZRANGEBYSCORE', key, as_text(from), '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  local groups, order, coalesced_to_ms = {}, {}, from
  for i = 1, #old, 2 do
    local head, status, count = string.match(old[i], '^(%d+:([^:]+):)(%d+)$')
    local bucket = math.floor(old[i + 1] / width)
    local name = bucket .. ':' .. status
    local group = groups[name]
    if not group then
      group = { head = head, count = 0, score = old[i + 1], members = {} }
      groups[name] = group
      order[#order + 1] = group
    end
    group.count = group.count + count
    group.members[#group.members + 1] = old[i]
    coalesced_to_ms = bucket * width
  end
  put(provider, 'history_coalesced_to_ms', coalesced_to_ms)
  for _, group in ipairs(order) do
    if #group.members > 1 then
      redis.call('ZREM', key, unpack(group.members))
      redis.call('ZADD', key, group.score, group.head .. as_text(group.count))
    end
  end
end
