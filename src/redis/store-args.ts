import { flatFields, unflattenSettings, unknownSettings } from '../config/flat.js'
import type { FlatFields, FlatSettings, StoredSettings } from '../config/flat.js'
import type * as port from '../model/ports/store.js'
import type { Settings } from '../model/settings.js'
import { parseHash } from './parse.js'
import type { ScriptReturns } from './script-definitions.js'

/** The settings in force. Those that were sent were checked before, and need no second look. */
function inForce(stored: FlatSettings, sent: FlatFields, settings: Settings): StoredSettings {
  const same = Object.entries(sent).every(([path, text]) => (stored[path] ?? null) === text)
  return same ? { settings, unread: unknownSettings(stored) } : unflattenSettings(stored)
}

/** The answer of `register`: the settings in force, which are mostly those that were sent. */
export function registered(
  known: port.KnownReply<unknown>,
  returned: ScriptReturns<'register'>,
  { mode, settings, unread = [] }: port.RegisterRequest,
): port.KnownReply<port.SettingsReply> {
  const stored =
    returned.settings === undefined
      ? { settings, unread: mode === 'keep' ? unread : [] }
      : inForce(parseHash(returned.settings), flatFields(settings), settings)
  return {
    ...known,
    ...stored,
    revision: Number(returned.revision),
    setBy: returned.setBy,
    setAt: Number(returned.setAtMs),
    pinned: returned.pinned,
  }
}

export const asStored = (unread: readonly port.UnreadSetting[]): FlatSettings =>
  Object.fromEntries(unread.map(({ path, stored }) => [path, stored]))

/** Written out: strict mode comes here at every call, and a spread costs microseconds. */
export const admitArgs = (request: port.AdmitRequest) => ({
  worker: request.worker,
  knownVersion: request.knownVersion,
  origin: request.origin,
  token: request.token,
  notAfterMs: request.notAfterMs,
  leaseMs: request.leaseMs,
  minGapMs: request.minGapMs,
  incarnation: request.incarnation ?? '',
  failureDomain: request.failureDomain ?? '',
})

export const recordArgs = (request: port.RecordRequest) => ({
  worker: request.worker,
  knownVersion: request.knownVersion,
  incarnation: request.incarnation,
  sequence: request.sequence,
  resent: request.resent,
  jitterDraw: request.jitterDraw,
  flushIntervalMs: request.flushIntervalMs,
  maxBatchesPerSecond: request.maxBatchesPerSecond,
  notAfterMs: request.notAfterMs,
  lostMsAgo: request.lostMsAgo,
  reporter: encodeReporter(request),
  runs: request.runs.map(encodeRun),
})

/** Empty while no quorum is set. */
const encodeReporter = ({
  failureDomain,
  tried,
  ownFailures = 0,
  ownSinceMs = 0,
}: port.RecordRequest): string =>
  failureDomain === undefined ? '' : `${ownFailures} ${ownSinceMs} ${tried === true ? failureDomain : ''}`

/** The plain outcome of a call needs the first four. A generation is only compared, mostly: as text it costs Redis less. */
const encodeRun = (run: port.Run): unknown[] => {
  const fields = [
    run.origin,
    run.outcome,
    run.count,
    String(run.generation),
    run.token,
    run.retryAfterMs,
    run.settingsRevision,
    run.markVersion,
    run.detail,
    run.ageMs,
  ]
  while (fields.at(-1) === '' || fields.at(-1) === 0) fields.pop()
  return fields
}
