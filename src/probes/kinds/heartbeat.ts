import type { HeartbeatProbeSettings, NothingYet, ProbeFinding } from '../../model/probe.js'
import type { UntimedFinding } from './explain.js'
import {
  ANY_WORKER,
  NO_ADDRESS,
  type Heard,
  type KindOfProbe,
  type ProbeMeans,
  type ProbeSubject,
} from './kind.js'
import { probeProcess } from './process.js'
import { timed } from './timed.js'

export const heartbeatKind: KindOfProbe<HeartbeatProbeSettings> = {
  ...ANY_WORKER,
  ...NO_ADDRESS,
  run: probeHeartbeat,
  judgesSnapshot: true,
}

/** The process first, where this worker knows it: how it ended says more than its silence. */
async function probeHeartbeat(
  probe: HeartbeatProbeSettings,
  { heard, settingsSetAt }: ProbeSubject,
  { registered }: ProbeMeans,
): Promise<ProbeFinding> {
  const { process: name, timeoutMs } = probe
  const source = name === undefined ? undefined : registered.processes.get(name)
  if (name !== undefined && source !== undefined) {
    const found = await probeProcess(name, source, timeoutMs)
    if (found.kind !== 'judged' || found.status !== 'healthy') return found
  }
  const judged = judgeHeartbeat(probe, heard, settingsSetAt)
  return judged.kind === 'nothing_yet' ? judged : timed({}, () => Promise.resolve(judged))
}

/**
 * Costs no command: the snapshot was read at the beginning of the tick. The first heartbeat is waited for from
 * `settingsSetAt` on, Redis ms.
 */
export function judgeHeartbeat(
  { ttlMs, stallMs }: HeartbeatProbeSettings,
  { at, heartbeatAt, heartbeatProgress, heartbeatProgressAt }: Heard,
  settingsSetAt: number,
): UntimedFinding | NothingYet {
  if (heartbeatAt === null) {
    return at - settingsSetAt > ttlMs
      ? { kind: 'judged', status: 'timeout', detail: `no heartbeat yet, ${ttlMs} ms after it was registered` }
      : { kind: 'nothing_yet', reason: 'no heartbeat yet' }
  }
  const silentMs = at - heartbeatAt
  if (silentMs > ttlMs)
    return { kind: 'judged', status: 'timeout', detail: `no heartbeat for ${silentMs} ms` }
  const stalledMs = at - (heartbeatProgressAt ?? heartbeatAt)
  if (stallMs !== undefined && stalledMs > stallMs) {
    const where = heartbeatProgress === null ? '' : ` beyond ${heartbeatProgress}`
    return {
      kind: 'judged',
      status: 'degraded',
      detail: `heartbeats, but no progress${where} for ${stalledMs} ms`,
    }
  }
  const progress = heartbeatProgress === null ? '' : `, progress ${heartbeatProgress}`
  return { kind: 'judged', status: 'healthy', detail: `heartbeat ${silentMs} ms ago${progress}` }
}
