-- register: makes a provider known, or changes its settings. Only this script creates keys.
-- Identical settings write nothing. After a wipe the caller sends the last snapshot that it has.
-- Settings, and a probe of a kind, that the caller does not know stay as they are: a later version may have set them.
-- Settings that an operator set are pinned: code does not replace them until they are released.
--
-- KEYS
--   config   hash    the settings
--   circuit  hash    state, counters, marks, totals of the history
--   history  zset    runs of outcomes
--   trials   zset    token -> lease deadline, ms
--   events   stream  the last 1000 or so events
--   window   hash    calls of the rate window, in buckets; absent while no rate rule is on
--   domains  hash    reporters, witnesses and suspects; absent while no quorum is set
-- ARGV
--   id             text     the provider
--   channel        text     where changes are published
--   worker         text     the calling process
--   known_version  digits   the version that the caller knows; 0 when none
--   mode           text     keep: stored settings win if there are any; set: those given win; release: unpin them
--   wanted         json     the settings that the caller knows, one field each; null: not set
--   restore        json     the last known snapshot; {} when there is none
--   operator       text     the person who sets (and so pins) or releases by hand; empty: code
--   reason         text     why, in words
--   not_after_ms   integer  provider time after which this does nothing; empty: always
-- Returns
--   status     text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms     integer  provider time
--   applied    integer  outcomes applied since registration
--   snapshot   json     empty when the caller knows the version
--   events     json     transitions that this call made; empty when none
--   settings   json     the settings in force, one field each; empty when they are those wanted
--   revision   integer  grows whenever the settings change
--   set_by     text     the worker or operator that set them
--   set_at_ms  integer  when they were set, Redis ms
--   pinned     boolean  whether an operator set them, so that code does not replace them

local keys = {
  config = KEYS[1],
  circuit = KEYS[2],
  history = KEYS[3],
  trials = KEYS[4],
  events = KEYS[5],
  window = KEYS[6],
  domains = KEYS[7],
}
local caller = { id = ARGV[1], channel = ARGV[2], worker = ARGV[3], known_version = ARGV[4] }
local mode = ARGV[5]
local wanted = cjson.decode(ARGV[6])
local restore = cjson.decode(ARGV[7])
local operator = ARGV[8]
local reason = ARGV[9]
local not_after_ms = tonumber(ARGV[10])

-- @include lib/reply
-- @include lib/register

local by_hand = { operator = operator, reason = reason }
local provider, now = open_provider(keys, caller)
if provider then
  complete(provider)
end
if not_after_ms and now > not_after_ms then
  return late_reply(now)
elseif not provider and mode == 'release' then
  return unknown_reply(now)
elseif not provider then
  provider = create_provider(keys, caller, now, wanted, restore, by_hand)
elseif mode == 'set' then
  replace_settings(provider, wanted, by_hand)
elseif mode == 'release' then
  release_settings(provider, by_hand)
end
local settings, about = read_settings(keys.config)
-- An older version may have registered the provider, or brought its settings back: it keeps no copy.
copy_rules(provider, settings)
local pinned = about.pinned ~= nil
local in_force = are_wanted(settings, wanted) and '' or cjson.encode(settings)
return finish(provider, in_force, about.revision, about.set_by, about.set_at_ms, pinned)
