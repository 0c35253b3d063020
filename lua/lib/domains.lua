-- The failure domains of one provider, while a quorum is set: who reports it, who saw failures, who fails alone. The same
-- as src/rules/domains.ts. The hash has one field a list; names have no spaces, so that a list is text with spaces.
--
-- Every list is short and bounded, the newest first; doubts have the oldest first.

-- @include lib/complete

local MAX_DOMAINS, MAX_SUCCESSES, MAX_DOUBTS = 4, 2, 16
-- The domain of all processes that have never had a success, and that of successful probes.
local UNTRIED, PROBES = '?', '*'

local STAMPS = { 'reporters', 'successes', 'failing', 'poor', 'announced' }
local NAMES = { 'witnesses', 'probe_witnesses', 'failed_trials' }
-- In place of an empty text.
local NONE = '!'

local function parse_stamps(text)
  local stamps = {}
  for domain, at_ms in string.gmatch(text or '', '(%S+) (%d+)') do
    stamps[#stamps + 1] = { domain = domain, at_ms = at_ms + 0 }
  end
  return stamps
end

local function write_stamps(stamps)
  local parts = {}
  for i, stamp in ipairs(stamps) do
    parts[i] = string.format('%s %d', stamp.domain, stamp.at_ms)
  end
  return table.concat(parts, ' ')
end

local function parse_names(text)
  local names = {}
  for name in string.gmatch(text or '', '%S+') do
    names[#names + 1] = name
  end
  return names
end

local function parse_doubts(text)
  local doubts = {}
  local pattern = '(%S+) (%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%S+) (%d+)'
  for process, worker, domain, since_ms, failures, seen_ms, named_ms, against, total in
    string.gmatch(text or '', pattern)
  do
    doubts[#doubts + 1] = {
      process = process,
      worker = worker,
      domain = domain,
      since_ms = since_ms + 0,
      failures = failures + 0,
      seen_ms = seen_ms + 0,
      named_ms = named_ms + 0,
      against = against ~= NONE and against or '',
      total = total + 0,
    }
  end
  return doubts
end

local function write_doubts(doubts)
  local parts = {}
  for i, doubt in ipairs(doubts) do
    parts[i] = string.format(
      '%s %s %s %d %d %d %d %s %d',
      doubt.process, doubt.worker, doubt.domain, doubt.since_ms, doubt.failures, doubt.seen_ms, doubt.named_ms,
      doubt.against ~= '' and doubt.against or NONE, doubt.total
    )
  end
  return table.concat(parts, ' ')
end

local function read_domains(key)
  local flat, stored = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do
    stored[flat[i]] = flat[i + 1]
  end
  local domains = {
    stored = stored,
    succeeded = (stored.succeeded or 0) + 0,
    doubts = parse_doubts(stored.doubts),
    wide = stored.wide == 'true',
  }
  for _, field in ipairs(STAMPS) do
    domains[field] = parse_stamps(stored[field])
  end
  for _, field in ipairs(NAMES) do
    domains[field] = parse_names(stored[field])
  end
  return domains
end

-- Writes the fields that changed; an empty one is not kept. Returns whether any did.
local function save_domains(provider)
  local key, domains, fields, wrote = provider.keys.domains, provider.quorum.domains, {}, false
  local texts = {
    succeeded = domains.succeeded > 0 and as_text(domains.succeeded) or '',
    doubts = write_doubts(domains.doubts),
    wide = domains.wide and 'true' or '',
  }
  for _, field in ipairs(STAMPS) do
    texts[field] = write_stamps(domains[field])
  end
  for _, field in ipairs(NAMES) do
    texts[field] = table.concat(domains[field], ' ')
  end
  for field, text in pairs(texts) do
    local before = domains.stored[field] or ''
    if text == '' and before ~= '' then
      redis.call('HDEL', key, field)
      wrote = true
    elseif text ~= before then
      fields[#fields + 1], fields[#fields + 2] = field, text
    end
  end
  if #fields > 0 then
    redis.call('HSET', key, unpack(fields))
  end
  domains.stored = texts
  return wrote or #fields > 0
end

-- The list with this domain in front.
local function stamped(stamps, domain, at_ms, most)
  local list = { { domain = domain, at_ms = at_ms } }
  for _, stamp in ipairs(stamps) do
    if stamp.domain ~= domain and #list < most then
      list[#list + 1] = stamp
    end
  end
  return list
end

local function witnessed(witnesses, domain)
  local list = { domain }
  for _, name in ipairs(witnesses) do
    if name == domain then
      return witnesses
    elseif #list < MAX_DOMAINS then
      list[#list + 1] = name
    end
  end
  return list
end

local function without(list, is_gone)
  local left = {}
  for _, item in ipairs(list) do
    if not is_gone(item) then
      left[#left + 1] = item
    end
  end
  return left
end

-- How long a process or a domain that is silent counts as there, ms.
local function memory_ms(provider)
  return math.max(60000, 3 * number_setting(provider, 'breaker.cooldownMs'))
end

-- The number of domains that reported the provider recently. at_ms: now; while the circuit is not closed, the time at which
-- it opened.
local function count_alive(provider, at_ms)
  local most_ms, alive = memory_ms(provider), 0
  for _, stamp in ipairs(provider.quorum.domains.reporters) do
    if at_ms - stamp.at_ms <= most_ms then
      alive = alive + 1
    end
  end
  return alive
end

-- The last success of another domain; nil: there was none.
local function success_beside(domains, domain)
  local last
  for _, stamp in ipairs(domains.successes) do
    if stamp.domain ~= domain and (not last or stamp.at_ms > last.at_ms) then
      last = stamp
    end
  end
  return last
end

local function find_doubt(domains, process)
  for _, doubt in ipairs(domains.doubts) do
    if doubt.process == process then
      return doubt
    end
  end
end

local function is_suspect(domains, process)
  local doubt = find_doubt(domains, process)
  return doubt ~= nil and doubt.named_ms > 0
end

local function is_unnamed(doubt)
  return doubt.named_ms == 0
end

-- After any transition: the runs of failures, those of single processes too, start over.
local function without_runs(domains)
  domains.witnesses, domains.probe_witnesses, domains.failing, domains.poor = {}, {}, {}, {}
  domains.doubts = without(domains.doubts, is_unnamed)
end

-- After the circuit closed: what was heard before the outage counts as heard so much later, since no calls are made while it
-- is open.
local function after_outage(domains, since_ms, now)
  without_runs(domains)
  for _, stamp in ipairs(domains.reporters) do
    stamp.at_ms = math.min(now, stamp.at_ms + now - since_ms)
  end
  for _, doubt in ipairs(domains.doubts) do
    doubt.seen_ms = math.min(now, doubt.seen_ms + now - since_ms)
  end
  domains.failed_trials, domains.wide = {}, false
end

-- The part of a snapshot that is the suspects'; nil: there are none.
local function present_suspects(domains)
  local suspects
  for _, doubt in ipairs(domains.doubts) do
    if not is_unnamed(doubt) then
      suspects = suspects or {}
      suspects[#suspects + 1] = {
        worker = doubt.worker,
        domain = doubt.domain,
        since = doubt.since_ms,
        namedAt = doubt.named_ms,
        failures = doubt.failures,
        successes = domains.succeeded - doubt.total,
        against = doubt.against,
      }
    end
  end
  return suspects
end
