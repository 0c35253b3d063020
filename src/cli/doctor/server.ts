import type { Inspection } from '../../index.js'
import { formatBytes, formatDuration, formatMs } from '../../view/format.js'
import { finding, ok, type Finding } from './finding.js'

/** Checks of the server itself. */
export function checkServer(facts: Inspection): Finding[] {
  return [
    version(facts),
    role(facts),
    eviction(facts),
    memory(facts),
    persistence(facts),
    hz(facts),
    latency(facts),
    clock(facts),
    scripts(facts),
    pubSub(facts),
  ]
}

const unread = (check: string): Finding =>
  finding(
    'note',
    check,
    'the server does not say',
    'Nothing, if it is a managed server; else look at its ACL.',
  )

/** A version that is too old was refused by `connect` already. */
function version({ version }: Inspection): Finding {
  return version === null ? unread('redis version') : ok('redis version', version)
}

function role({ role }: Inspection): Finding {
  if (role === null) return unread('role')
  if (role === 'master') return ok('role', role)
  return finding('fail', 'role', `${role}: it takes no writes`, 'Give the address of the master.')
}

function eviction({ evictionPolicy, maxmemoryBytes }: Inspection): Finding {
  const check = 'eviction'
  if (evictionPolicy === null) return unread(check)
  if (evictionPolicy === 'noeviction') return ok(check, evictionPolicy)
  const advice = 'CONFIG SET maxmemory-policy noeviction: an evicted key is an open circuit forgotten.'
  if (maxmemoryBytes === 0)
    return finding('note', check, `${evictionPolicy}, harmless while maxmemory is 0`, advice)
  return finding('warn', check, evictionPolicy, advice)
}

const FULL_SHARE = 0.98
const NEARLY_FULL_SHARE = 0.85

function memory({ usedMemoryBytes, maxmemoryBytes }: Inspection): Finding {
  const check = 'memory'
  if (usedMemoryBytes === null || maxmemoryBytes === null) return unread(check)
  const used = formatBytes(usedMemoryBytes)
  if (maxmemoryBytes === 0) return ok(check, `${used} used, no limit set`)
  const share = usedMemoryBytes / maxmemoryBytes
  const found = `${used} of ${formatBytes(maxmemoryBytes)} used (${Math.floor(share * 100)}%)`
  const advice = 'Raise maxmemory, or move what else lives there: a full server refuses every transition.'
  if (share >= FULL_SHARE) return finding('fail', check, found, advice)
  return share >= NEARLY_FULL_SHARE ? finding('warn', check, found, advice) : ok(check, found)
}

function persistence({ appendOnly, saveRules, persistenceOk }: Inspection): Finding {
  const check = 'persistence'
  if (persistenceOk === false)
    return finding('warn', check, 'the last write to disk failed', 'Look at its log and its disk.')
  if (appendOnly === true) return ok(check, 'append-only file')
  if (saveRules === null) return unread(check)
  if (saveRules !== '') return ok(check, `snapshots to disk (save ${saveRules})`)
  return finding(
    'note',
    check,
    'off: a restart of Redis forgets marks, open circuits and what was applied',
    'appendonly yes, if they are to outlive a restart. Live workers bring back what they knew last.',
  )
}

const USUAL_HZ = 10

function hz({ hz }: Inspection): Finding {
  if (hz === null) return unread('hz')
  if (hz >= USUAL_HZ) return ok('hz', String(hz))
  return finding(
    'note',
    'hz',
    `${hz}, below the usual 10`,
    'CONFIG SET hz 10: ticks of probes come late otherwise.',
  )
}

const SLOW_MS = 20
/** The default of `commandTimeoutMs`. */
const TOO_SLOW_MS = 200

function latency({ roundTripsMs }: Inspection): Finding {
  const median = roundTripsMs[Math.floor(roundTripsMs.length / 2)] ?? 0
  const longest = roundTripsMs.at(-1) ?? 0
  const found = `${formatMs(median)} in the middle, ${formatMs(longest)} at most, of ${roundTripsMs.length} round trips`
  const advice =
    'Bring workers and Redis nearer, or raise commandTimeoutMs: half-open trials and outcomes wait for it.'
  if (median >= TOO_SLOW_MS) return finding('fail', 'latency', found, advice)
  return median >= SLOW_MS ? finding('warn', 'latency', found, advice) : ok('latency', found)
}

const CLOCK_OFF_MS = 1_000

function clock({ clockAheadMs }: Inspection): Finding {
  const off = Math.abs(clockAheadMs)
  const found =
    off < 1
      ? 'the same as here'
      : `${formatDuration(off)} ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this host`
  if (off < CLOCK_OFF_MS) return ok('clock', found)
  return finding(
    'warn',
    'clock',
    found,
    'Set both by NTP. Circuits go by the clock of Redis, ticks of probes by that of hosts.',
  )
}

function scripts({ scriptCount, scriptsProblem }: Inspection): Finding {
  if (scriptsProblem === null) return ok('scripts', `all ${scriptCount} load`)
  return finding('fail', 'scripts', scriptsProblem, 'Allow EVALSHA and SCRIPT to this user (ACL).')
}

function pubSub({ pubSubProblem }: Inspection): Finding {
  if (pubSubProblem === null) return ok('pub/sub', 'a message came back')
  return finding(
    'fail',
    'pub/sub',
    pubSubProblem,
    'Allow the channels <namespace>:* to this user (ACL): without them workers poll.',
  )
}
