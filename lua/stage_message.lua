-- stage_message: keeps the next message of a hook and moves the cursors past its events, in one step: one process wins.
--
-- KEYS
--   hook          hash  since when it is known, the revision, the message that waits for its delivery
--   hook_cursors  hash  provider -> the last entry of its stream that was put into a message
-- ARGV
--   revision  integer  the revision that the caller has read
--   delivery  text     id of the message
--   body      text     the message
--   cursors   json     provider -> the last entry of its stream that is in the message
-- Returns
--   status   text     ok
--   now_ms   integer  time of the server
--   outcome  text     staged; busy: another message waits for its delivery; outdated: the revision is another

local keys = { hook = KEYS[1], hook_cursors = KEYS[2] }
local revision = tonumber(ARGV[1])
local delivery = ARGV[2]
local body = ARGV[3]
local cursors = cjson.decode(ARGV[4])

-- @include lib/now
-- @include lib/text

local now = clock_reading_ms()
local held = redis.call('HMGET', keys.hook, 'revision', 'delivery')
if held[2] then
  -- What settles that message then looks for the events that came meanwhile.
  redis.call('HSET', keys.hook, 'behind', '1')
  return { 'ok', as_text(now), 'busy' }
end
if (tonumber(held[1]) or 0) ~= revision then
  return { 'ok', as_text(now), 'outdated' }
end
redis.call('HSET', keys.hook, 'revision', as_text(revision + 1), 'delivery', delivery, 'body', body, 'staged_at_ms', as_text(now))
for provider, entry in pairs(cursors) do
  redis.call('HSET', keys.hook_cursors, provider, entry)
end
return { 'ok', as_text(now), 'staged' }
