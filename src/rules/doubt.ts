import type { BreakerSettings } from '../model/settings.js'
import { bumpVersion, type Circuit, type RuleEvent, type Step } from './circuit.js'
import {
  aliveDomains,
  memoryMs,
  PROBES,
  stamped,
  successBeside,
  type Domains,
  type Doubt,
} from './domains.js'
import { EMPTY_WINDOW } from './rate-window.js'

/** From so many failures in a row on a process doubts itself, however quickly they came. */
const DOUBTFUL_AT = 20
/** ... and from so many on, or the threshold if it is less, once they have lasted so long, ms. */
const DOUBTFUL_AT_LEAST = 5
const DOUBTFUL_AFTER_MS = 1_000

/** Failures of one process in a row, and how long ago the first of them was, ms. */
export interface OwnRun {
  readonly failures: number
  readonly sinceMs: number
}

/** Whether a process that fails so doubts itself. It and the store judge by the same rule. */
export const isDoubtful = ({ failures, sinceMs }: OwnRun, { failureThreshold }: BreakerSettings): boolean =>
  failures >= DOUBTFUL_AT ||
  (failures >= Math.min(failureThreshold ?? DOUBTFUL_AT_LEAST, DOUBTFUL_AT_LEAST) &&
    sinceMs >= DOUBTFUL_AFTER_MS)

/** How long a doubtful process waits before its next try, ms: 1 s, then twice as long each time, up to the cooldown. */
export const tryAgainInMs = (tries: number, { cooldownMs }: BreakerSettings): number =>
  Math.min(DOUBTFUL_AFTER_MS * 2 ** Math.min(tries, 30), Math.max(cooldownMs, DOUBTFUL_AFTER_MS))

/** How old a doubt is before others may speak against it, ms: successes of before may still be under way. */
export const settlesAfterMs = (pauseMs: number): number => DOUBTFUL_AFTER_MS + pauseMs

/** Names every doubtful process beside which another domain succeeded, late enough. */
export function nameSuspects(circuit: Circuit, pauseMs: number): Step {
  let step: Step = { circuit, events: [] }
  for (const doubt of circuit.domains.doubts) {
    const other = doubt.namedMs > 0 ? undefined : successBeside(step.circuit.domains, doubt.domain)
    if (other === undefined || other.atMs <= doubt.sinceMs + settlesAfterMs(pauseMs)) continue
    const { circuit: named, events } = name(step.circuit, doubt, other.domain)
    step = { circuit: named, events: [...step.events, ...events] }
  }
  return step
}

/** One event per domain in this time, ms. */
const ANNOUNCED_MS = 60_000
const MAX_ANNOUNCED = 16

function name(circuit: Circuit, doubt: Doubt, against: string): Step {
  const { domains, lastNowMs: now } = circuit
  const { domain, process } = doubt
  const said = domains.announced.some((stamp) => stamp.domain === domain && now - stamp.atMs < ANNOUNCED_MS)
  const named = { ...doubt, namedMs: now, against }
  const next = bumpVersion({
    ...circuit,
    // What it saw must not count for a rate.
    rateWindow: EMPTY_WINDOW,
    domains: {
      ...domains,
      failing: [],
      poor: [],
      reporters: domains.reporters.filter((stamp) => stamp.domain !== domain),
      doubts: domains.doubts.map((each) => (each.process === process ? named : each)),
      announced: said ? domains.announced : stamped(domains.announced, domain, now, MAX_ANNOUNCED),
    },
  })
  if (said) return { circuit: next, events: [] }
  return {
    circuit: next,
    events: [workerEvent(next, 'worker_suspected', doubt.worker, suspectText(named, domains))],
  }
}

/** `worker-7 on node-3 fails alone: 14 failures in a row there, 2310 successes elsewhere since; node-1 disagrees`. */
function suspectText({ worker, domain, failures, against, total }: Doubt, { succeeded }: Domains): string {
  const elsewhere = succeeded > total ? `, ${succeeded - total} successes elsewhere since` : ''
  const other = against === PROBES ? 'a health check' : against
  return `${worker} on ${domain} fails alone: ${failures} failures in a row there${elsewhere}; ${other} disagrees`
}

function workerEvent(
  circuit: Circuit,
  kind: 'worker_suspected' | 'worker_cleared',
  worker: string,
  reason: string,
): RuleEvent {
  const { generation, version } = circuit
  const [from, to] = kind === 'worker_suspected' ? ['', worker] : [worker, '']
  return { kind, from, to, reason, actor: '', generation, version }
}

/** Takes suspicions back. One event for each domain that has no suspect left. `why`: in words. */
export function clearSuspects(circuit: Circuit, isCleared: (doubt: Doubt) => boolean, why: string): Step {
  const { domains } = circuit
  const gone = domains.doubts.filter(isCleared)
  if (gone.length === 0) return { circuit, events: [] }
  const doubts = domains.doubts.filter((doubt) => !isCleared(doubt))
  const left = { ...circuit, domains: { ...domains, doubts } }
  const named = gone.filter(({ namedMs }) => namedMs > 0)
  if (named.length === 0) return { circuit: left, events: [] }
  const next = bumpVersion(left)
  const suspected = (domain: string) => doubts.some((doubt) => doubt.domain === domain && doubt.namedMs > 0)
  const last = named.filter(
    ({ domain }, at) => !suspected(domain) && !named.slice(at + 1).some((other) => other.domain === domain),
  )
  const text = ({ worker, domain }: Doubt) => `${worker} on ${domain} ${why}`
  return {
    circuit: next,
    events: last.map((doubt) => workerEvent(next, 'worker_cleared', doubt.worker, text(doubt))),
  }
}

/** Forgets processes that have not reported for long: they are gone, or have nothing to call. */
export const forgetSilent = (circuit: Circuit, settings: BreakerSettings): Step =>
  clearSuspects(circuit, ({ seenMs }) => circuit.lastNowMs - seenMs > memoryMs(settings), 'has been silent')

/** The domain whose trial failed, before those of earlier trials. At least one that is alive is not among them. */
const afterTrial = (failed: readonly string[], domain: string, alive: number): readonly string[] =>
  [domain, ...failed.filter((name) => name !== domain)].slice(0, Math.max(1, alive - 1))

/** The domains when a circuit opens by a rule. A suspicion that is younger than the grace was raised by the outage itself. */
export function afterOpening(circuit: Circuit, domain: string | undefined, settings: BreakerSettings): Step {
  const { domains, lastNowMs: now, outage, phase } = circuit
  if (domain === undefined) return { circuit, events: [] }
  const alive = aliveDomains(domains, outage?.sinceMs ?? now, settings).length
  const wide = alive > 1
  const failedTrials = phase.state === 'closed' ? [] : afterTrial(domains.failedTrials, domain, alive)
  const young = ({ namedMs }: Doubt) => namedMs > 0 && now - namedMs < settings.quorumGraceMs
  return clearSuspects(
    { ...circuit, domains: { ...domains, wide, failedTrials } },
    young,
    'fails with the others',
  )
}
