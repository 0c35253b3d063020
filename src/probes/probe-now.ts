import type { BusbarCore } from '../client/busbar-core.js'
import type { ProbeReport } from '../client/probing/probe-ticket.js'
import { UnknownProviderError } from '../model/errors.js'
import { needsOf } from './kinds.js'
import type { Registered } from './kinds/kind.js'
import { Prober, type Probed, type ProbeEnd } from './prober.js'
import { probeOf, readProvider } from './read-provider.js'
import { ProbeRunner } from './probe-runner.js'

/** One health check at once, by this process, without the queue; recorded as any other. */
export async function probeNow(busbar: BusbarCore, id: string, registered: Registered): Promise<ProbeReport> {
  const found = await findProbe(busbar, id)
  return found.kind === 'nothing_to_probe' ? found.report : probeHere(busbar, found.probed, registered)
}

/** A provider with a probe that this version can read, or the report that there is none. */
export type FoundProbe =
  | { readonly kind: 'found'; readonly probed: Probed }
  | { readonly kind: 'nothing_to_probe'; readonly report: ProbeReport }

/** A provider and its probe, whatever the marks say; or why there is none to make. @throws UnknownProviderError */
export async function findProbe(busbar: BusbarCore, id: string): Promise<FoundProbe> {
  const seen = await readProvider(busbar, id)
  if (seen === undefined) throw new UnknownProviderError(id)
  const probe = probeOf(seen.provider) // a mark is for the admission to refuse
  const nothing = (code: string, reason: string): FoundProbe => ({
    kind: 'nothing_to_probe',
    report: notProbed(id, code, reason),
  })
  if (probe === undefined) return nothing('no_probe', 'no probe is configured')
  if (probe.kind === 'unread')
    return nothing('kind_elsewhere', `${probe.problem}: workers that know it run it`)
  return { kind: 'found', probed: { ...seen, probe } }
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
  const ability = prober.able(found)
  if (ability.kind === 'prober_error') {
    if (needsOf(found.probe) === '') return notProbed(id, 'not_here', ability.reason)
    const reason = `a probe of kind ${found.probe.kind} is code: only the processes that hold it can run it`
    return notProbed(id, 'kind_elsewhere', reason)
  }
  const end = await prober.probe(ability.probed, { minGapMs, alone: false })
  return reportOf(id, end, busbar.context.worker)
}

function reportOf(id: string, end: ProbeEnd, worker: string): ProbeReport {
  switch (end.kind) {
    case 'judged':
      return { id, probed: true, ...end.result, trial: end.trial, worker }
    case 'refused': {
      const { code, reason, retryAfterMs } = end.refusal
      return notProbed(id, code, reason, retryAfterMs)
    }
    case 'prober_error':
      return notProbed(id, 'not_here', end.reason)
    case 'nothing_yet':
      return notProbed(id, 'nothing_yet', end.reason)
    default:
      return end satisfies never
  }
}

export const notProbed = (
  id: string,
  code: string,
  reason: string,
  retryAfterMs: number | null = null,
): ProbeReport => ({ id, probed: false, code, reason, retryAfterMs })
