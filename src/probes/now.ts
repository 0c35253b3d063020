import type { Busbar } from '../client/busbar.js'
import type { ProbeReport } from '../client/probing.js'
import { UnknownProviderError } from '../model/errors.js'
import { look } from './look.js'
import { ProbeRunner } from './run.js'

/**
 * One health check at once, by this process, without the queue; recorded as any other. Only what an admission says
 * can refuse it: a mark, a pause, a trial that somebody else holds. Kinds that are code of a worker are not run here.
 * @throws UnknownProviderError, RedisUnavailableError
 */
export async function probeNow(busbar: Busbar, id: string): Promise<ProbeReport> {
  const seen = await look(busbar, id)
  if (seen === undefined) throw new UnknownProviderError(id)
  const { provider, snapshot } = seen
  const { probe } = provider.settings // a mark is for the admission to refuse
  if (probe === undefined) return refused(id, 'no_probe', 'no probe is configured')
  const runner = new ProbeRunner(busbar.workerId, { processes: new Map(), functions: new Map() })
  if (runner.unable(probe) !== undefined) {
    const reason = `a probe of kind ${probe.kind} is code: only the processes that hold it can run it`
    return refused(id, 'kind_elsewhere', reason)
  }
  const admission = await provider.beginProbe({ minGapMs: 0, timeoutMs: probe.timeoutMs })
  if ('refused' in admission) {
    const { code, reason, retryAfterMs } = admission.refused
    return refused(id, code, reason, retryAfterMs)
  }
  const { ticket } = admission
  if (provider.peek()?.settingsRevision !== snapshot.settingsRevision) {
    await ticket.abandon()
    return refused(id, 'settings_changed', 'its settings changed this very moment; try again')
  }
  const heard = { ...snapshot, settingsSetAt: provider.settingsOrigin.setAt }
  const finding = await runner.run(probe, { providerId: id, heard })
  if (!('status' in finding)) {
    await ticket.abandon()
    return refused(id, 'prober' in finding ? 'not_here' : 'nothing_yet', finding.reason)
  }
  await ticket.finish(finding)
  return { id, probed: true, ...finding, trial: ticket.trial }
}

const refused = (
  id: string,
  code: string,
  reason: string,
  retryAfterMs: number | null = null,
): ProbeReport => ({
  id,
  probed: false,
  code,
  reason,
  retryAfterMs,
})
