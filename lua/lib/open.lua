-- The beginning of a script about one provider: opens it, and replies at once when it is not registered.
-- Spliced into the script, it reads `keys` and `caller` there and leaves `provider` and `now`.

-- @include lib/provider

local provider, now = open_provider(keys, caller)
if not provider then
  return { 'unknown_provider', now }
end
