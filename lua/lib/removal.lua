-- Removes a provider with every key of it, publishes the removal, and gives the reply.

-- @include lib/announcement

local function remove_provider(provider, actor, reason)
  local keys = provider.keys
  bump_version(provider)
  announce(provider, 'removed', provider.circuit.state, '', reason, actor)
  redis.call(
    'DEL', keys.config, keys.circuit, keys.history, keys.trials, keys.events, keys.window, keys.domains, keys.batches,
    keys.outages, keys.workers
  )
  local events = events_json(provider.events)
  publish(provider.caller, events, 'null')
  return { 'ok', provider.now, provider.circuit.applied or 0, '', events }
end
