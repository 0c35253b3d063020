-- admit: decides whether a call or a probe may begin; in half-open it takes a trial lease.
-- A resent request carries the same token and gets the same lease. Run after not_after_ms, the script grants nothing:
-- the caller has given up by then, and a lease for it would block the trial of another.
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
--   id              text     the provider
--   channel         text     where changes are published
--   worker          text     the calling process
--   known_version   digits   the version that the caller knows; 0 when none
--   origin          text     call or probe
--   token           text     names the trial; made by the caller
--   not_after_ms    integer  provider time after which this does nothing
--   lease_ms        integer  how long a lease lasts, ms; 0: as long as the settings say
--   min_gap_ms      integer  a probe is turned away when another began less than this ago, ms
--   incarnation     text     the life of the calling process; empty, as the next, while no quorum is set
--   failure_domain  text     what fails together with the calling process; ? while it has never had a success
-- Returns
--   status             text     ok, unknown_provider or late; without ok only now_ms follows
--   now_ms             integer  provider time
--   applied            integer  outcomes applied since registration
--   snapshot           json     empty when the caller knows the version
--   events             json     transitions that this call made; empty when none
--   admitted           boolean  also true when enforce is off
--   code               text     refusal code, also with enforce off; empty: nothing blocks
--   reason             text     the refusal in words
--   retry_after_ms     integer  until the latest blocking deadline, ms; empty when none is known
--   generation         integer  sent back with the result; a result of an older one decides nothing
--   trial              boolean  whether a lease was granted
--   settings_revision  integer  sent back with a probe result, which is dropped if it has changed
--   mark_version       integer  sent back with a probe result, which is dropped if it has changed

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
local origin = ARGV[5]
local token = ARGV[6]
local not_after_ms = tonumber(ARGV[7])
local lease_ms = tonumber(ARGV[8])
local min_gap_ms = tonumber(ARGV[9])
local incarnation = ARGV[10]
local failure_domain = ARGV[11]

-- @include lib/reply

local provider, now = open_provider(keys, caller)
if not provider then
  return unknown_reply(now)
elseif now > not_after_ms then
  return late_reply(now)
end
local circuit = provider.circuit
local admission = { admitted = true, code = '', reason = '', retry_after_ms = 0, trial = false }
-- The short way out, taken by nearly every call: a closed circuit without a mark or a pause admits it.
local throttled = (circuit.throttled_until_ms or 0) + 0 > now
if origin ~= 'call' or circuit.state ~= 'closed' or circuit.mark or throttled then
  -- @include lib/marks
  -- @include lib/admission
  complete(provider)
  expire_mark(provider)
  local request = {
    origin = origin,
    token = token,
    lease_ms = lease_ms,
    min_gap_ms = min_gap_ms,
    process = incarnation,
    domain = failure_domain ~= '' and failure_domain or '?',
  }
  admission = admit(provider, request)
end
return finish(
  provider,
  admission.admitted,
  admission.code,
  admission.reason,
  admission.retry_after_ms,
  circuit.generation or 0,
  admission.trial,
  provider.settings.revision,
  circuit.mark_version or 0
)
