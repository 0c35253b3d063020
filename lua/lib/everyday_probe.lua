-- The everyday probe: it found what probes find, in the generation, the settings and under the mark of its beginning. What
-- it does is what lib/breaker would do; everything else is left to that.

-- What the history takes; nil when there is more to it.
local function judge_everyday_probe(keys, batch, generation)
  local _, outcome, count, run_generation, _, _, settings_revision, mark_version, _, age_ms = unpack(batch[1])
  if #batch > 1 or outcome ~= 'healthy' or run_generation ~= generation or age_ms then
    return nil
  end
  local failures, down, against, mark_version_now, overdue_at_ms = unpack(
    redis.call(
      'HMGET', keys.circuit, 'probe_consecutive_failures', 'probe_down', 'probe_against', 'mark_version',
      'probe_overdue_at_ms'
    )
  )
  local revision = redis.call('HGET', keys.config, 'revision')
  if
    failures ~= '0' or against ~= '0' or (down and down ~= '') or (overdue_at_ms and overdue_at_ms ~= '')
    or settings_revision ~= revision + 0 or mark_version ~= mark_version_now + 0
  then
    return nil
  end
  return count, { { outcome = outcome, count = count } }
end

local function note_everyday_probe(keys, batch, now)
  redis.call(
    'HSET', keys.circuit, 'last_probe_status', batch[1][2], 'last_probe_detail', batch[1][9],
    'last_probe_at_ms', now, 'probe_until_ms', ''
  )
end
