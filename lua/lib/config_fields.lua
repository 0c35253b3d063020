-- The fields of the config hash that the script which sets settings knows, as src/model/ has them. Written by
-- `npx vitest run test/unit/fields.test.ts -u`; edit src/model/setting-fields.ts or src/model/probe.ts instead.

-- Fields that are no settings.
local ABOUT = {
  revision = true,
  set_by = true,
  set_at_ms = true,
  pinned = true,
  replaced_set_by = true,
  replaced_digest = true,
  announced_at_ms = true,
  unannounced_changes = true,
  idle_ms = true,
  idle_at_ms = true,
}

-- Kinds of probes that this version knows.
local PROBE_KINDS = {
  ['http'] = true,
  ['tcp'] = true,
  ['redis'] = true,
  ['process'] = true,
  ['function'] = true,
  ['heartbeat'] = true,
}
