import type { BusbarCore } from '../client/busbar-core.js'
import type { ProbeReport } from '../client/probing/probe-ticket.js'
import { UnknownProviderError } from '../model/errors.js'
import { codeOf } from './kinds.js'
import type { Registered } from './kinds/kind.js'
import { Prober, type Attempt, type Probed } from './prober.js'
import { probeOf, readProvider } from './read-provider.js'
import { ProbeRunner } from './probe-runner.js'

/** One health check at once, by this process, without the queue; recorded as any other. */
export async function probeNow(busbar: BusbarCore, id: string, registered: Registered): Promise<ProbeReport> {
  const found = await findProbe(busbar, id)
  return 'probed' in found ? found : probeHere(busbar, found, registered)
}

/** A provider and its probe, whatever the marks say; or why there is none to make. @throws UnknownProviderError */
export async function findProbe(busbar: BusbarCore, id: string): Promise<Probed | ProbeReport> {
  const seen = await readProvider(busbar, id)
  if (seen === undefined) throw new UnknownProviderError(id)
  const probe = probeOf(seen.provider) // a mark is for the admission to refuse
  if (probe === undefined) return notProbed(id, 'no_probe', 'no probe is configured')
  if (probe.kind === 'unread')
    return notProbed(id, 'kind_elsewhere', `${probe.problem}: workers that know it run it`)
  return { ...seen, probe }
}

/**
 * Only what an admission says can refuse it: a mark, a pause, another that is under way, a trial that another process holds,
 * one that began within the last `minGapMs`. Kinds that are code run where that code was registered.
 */
export async function probeHere(
  busbar: BusbarCore,
  found: Probed,
  registered: Registered,
  minGapMs = 0,
): Promise<ProbeReport> {
  const { id } = found.provider
  const prober = new Prober(new ProbeRunner(busbar.context.worker, registered, busbar.context))
  const probed = prober.able(found)
  if ('prober' in probed) {
    if (codeOf(found.probe) === '') return notProbed(id, 'not_here', probed.reason)
    const reason = `a probe of kind ${found.probe.kind} is code: only the processes that hold it can run it`
    return notProbed(id, 'kind_elsewhere', reason)
  }
  return reportOf(id, await prober.attempt(probed, { minGapMs, alone: false }), busbar.context.worker)
}

function reportOf(id: string, attempt: Attempt, worker: string): ProbeReport {
  if ('refused' in attempt) {
    const { code, reason, retryAfterMs } = attempt.refused
    return notProbed(id, code, reason, retryAfterMs)
  }
  if ('discarded' in attempt) return notProbed(id, 'not_here', attempt.discarded.reason)
  if ('nothing' in attempt) return notProbed(id, 'nothing_yet', attempt.nothing.reason)
  return { id, probed: true, ...attempt.result, trial: attempt.trial, worker }
}

export const notProbed = (
  id: string,
  code: string,
  reason: string,
  retryAfterMs: number | null = null,
): ProbeReport => ({ id, probed: false, code, reason, retryAfterMs })
