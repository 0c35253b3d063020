import type { Busbar } from '../client/busbar.js'
import type { ProbeReport } from '../client/probing.js'
import { UnknownProviderError } from '../model/errors.js'
import { Prober } from './attempt.js'
import { probeOf, readProvider } from './read-provider.js'
import { ProbeRunner, type Registered } from './run.js'

/**
 * One health check at once, by this process, without the queue; recorded as any other. Only what an admission says
 * can refuse it: a mark, a pause, a trial that another process holds. Kinds that are code run where that code was registered.
 * @throws UnknownProviderError, RedisUnavailableError
 */
export async function probeNow(busbar: Busbar, id: string, registered: Registered): Promise<ProbeReport> {
  const seen = await readProvider(busbar, id)
  if (seen === undefined) throw new UnknownProviderError(id)
  const probe = probeOf(seen.provider) // a mark is for the admission to refuse
  if (probe === undefined) return refused(id, 'no_probe', 'no probe is configured')
  if (probe.kind === 'unread')
    return refused(id, 'kind_elsewhere', `${probe.problem}: workers that know it run it`)
  const prober = new Prober(new ProbeRunner(busbar.workerId, registered, busbar.host))
  if (prober.unable(probe) !== undefined) {
    const reason = `a probe of kind ${probe.kind} is code: only the processes that hold it can run it`
    return refused(id, 'kind_elsewhere', reason)
  }
  const attempt = await prober.attempt({ ...seen, probe }, { minGapMs: 0, alone: false })
  if ('refused' in attempt) {
    const { code, reason, retryAfterMs } = attempt.refused
    return refused(id, code, reason, retryAfterMs)
  }
  if ('discarded' in attempt) return refused(id, 'not_here', attempt.discarded.reason)
  if ('nothing' in attempt) return refused(id, 'nothing_yet', attempt.nothing.reason)
  return { id, probed: true, ...attempt.result, trial: attempt.trial }
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
