-- Two versions of a program register one provider in turn (a rolling deploy). The settings follow each registration;
-- the event comes once a minute, or the stream would hold little else. The twin of src/rules/alternation.ts.

local ANNOUNCE_EVERY_MS = 60000

local function digest_of(settings)
  local lines = {}
  for i, field in ipairs(sorted_names(settings)) do
    lines[i] = field .. '=' .. settings[field]
  end
  return redis.sha1hex(table.concat(lines, '\n'))
end

-- Fields that the config hash keeps of a change by code, and the reason of its event; nil: the change is not announced.
local function judge_change(now, about, stored, wanted)
  local announced_at_ms, left_out = tonumber(about.announced_at_ms), 0
  local back = about.replaced_digest == digest_of(wanted)
  if back then
    left_out = tonumber(about.unannounced_changes)
  end
  local kept = {
    replaced_set_by = about.set_by,
    replaced_digest = digest_of(stored),
    announced_at_ms = as_text(now),
    unannounced_changes = '0',
  }
  if back and now - announced_at_ms < ANNOUNCE_EVERY_MS then
    kept.announced_at_ms, kept.unannounced_changes = about.announced_at_ms, as_text(left_out + 1)
    return kept, nil
  elseif left_out == 0 then
    return kept, ''
  end
  local changes = as_text(left_out + 1) .. ' changes since the last event'
  return kept, 'alternates with the settings of ' .. about.set_by .. ': ' .. changes
end
