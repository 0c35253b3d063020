-- settle_message: forgets the message of a hook that was delivered, or given up, unless another has taken its place.
--
-- KEYS
--   hook  hash  since when it is known, the revision, the message that waits for its delivery
-- ARGV
--   delivery  text  id of the message
-- Returns
--   status   text     ok
--   now_ms   integer  time of the server
--   behind   boolean  whether events came while it waited: the caller is to look for them

local keys = { hook = KEYS[1] }
local delivery = ARGV[1]

-- @include lib/now
-- @include lib/text

local now = clock_reading_ms()
if redis.call('HGET', keys.hook, 'delivery') == delivery then
  redis.call('HDEL', keys.hook, 'delivery', 'body', 'staged_at_ms')
end
-- It stays until they were looked for: the caller may be killed before that.
local behind = redis.call('HEXISTS', keys.hook, 'behind') == 1
return { 'ok', as_text(now), behind and '1' or '0' }
