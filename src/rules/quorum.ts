import type { AdmitRequest, Run } from '../model/ports/store-requests.js'
import type { BreakerSettings } from '../model/settings.js'
import { isCircuitOutcome, isSuccess } from '../model/words.js'
import { stateAt, type Circuit, type Step } from './circuit.js'
import {
  clearSuspects,
  forgetSilent,
  isDoubtful,
  nameSuspects,
  settlesAfterMs,
  type OwnRun,
} from './doubt.js'
import {
  aliveDomains,
  isSuspect,
  MAX_DOMAINS,
  MAX_DOUBTS,
  MAX_SUCCESSES,
  PROBES,
  stamped,
  successBeside,
  UNTRIED,
  witnessed,
  type Domains,
  type Doubt,
} from './domains.js'
import { isCircuitRun, type CircuitRun } from './judged.js'
import { open } from './opening.js'
import { judgesRates } from './rate-window.js'

/** The process that a batch comes from, as a quorum sees it. */
export interface Reporter {
  /** Random name of the life of the process. */
  readonly process: string
  readonly worker: string
  /** Its failure domain; `UNTRIED` while it has never had a success. */
  readonly domain: string
  readonly own: OwnRun
  /** The pause that the store asks this process for, ms. */
  readonly pauseMs: number
}

/** Before the runs of a batch: its process is alive, doubts itself or not, and may be named or cleared. */
export function beginReport(
  circuit: Circuit,
  reporter: Reporter,
  runs: readonly Run[],
  settings: BreakerSettings,
): Step {
  const last = runs.at(-1)
  if (last === undefined || last.generation !== circuit.generation) return { circuit, events: [] }
  const closed = stateAt(circuit.phase, circuit.lastNowMs) === 'closed'
  const forgotten = closed ? forgetSilent(circuit, settings) : { circuit, events: [] }
  const cleared = clear(forgotten.circuit, reporter, runs)
  const seen = hear(cleared.circuit, reporter, closed, settings)
  const named = closed ? nameSuspects(seen, reporter.pauseMs) : { circuit: seen, events: [] }
  return { circuit: named.circuit, events: [...forgotten.events, ...cleared.events, ...named.events] }
}

/** A success of a suspect itself clears it. Its run ends only with one of a call that began after the doubt. */
function clear(circuit: Circuit, { process, own }: Reporter, runs: readonly Run[]): Step {
  const succeeded = ({ origin, outcome, generation }: Run) =>
    origin === 'call' && generation === circuit.generation && isCircuitOutcome(outcome) && isSuccess(outcome)
  if (own.failures > 0 || !isSuspect(circuit.domains, process) || !runs.some(succeeded))
    return { circuit, events: [] }
  return clearSuspects(circuit, (doubt) => doubt.process === process, 'succeeds again')
}

function hear(circuit: Circuit, reporter: Reporter, closed: boolean, settings: BreakerSettings): Circuit {
  const { domains, lastNowMs: now } = circuit
  const { process, domain, own } = reporter
  const known = domains.doubts.find((doubt) => doubt.process === process)
  const suspected = known !== undefined && known.namedMs > 0
  const reporters = suspected ? domains.reporters : stamped(domains.reporters, domain, now, MAX_DOMAINS)
  const others = domains.doubts.filter((doubt) => doubt.process !== process)
  const doubtful = closed && isDoubtful(own, settings)
  if (!suspected && !doubtful) return { ...circuit, domains: { ...domains, reporters, doubts: others } }
  const failures = doubtful || known === undefined ? own.failures : known.failures
  const heard: Doubt =
    known === undefined
      ? newDoubt(reporter, now, domains.succeeded)
      : { ...known, domain: suspected ? known.domain : domain, failures, seenMs: now }
  const doubts =
    suspected || known !== undefined
      ? domains.doubts.map((doubt) => (doubt.process === process ? heard : doubt))
      : [...roomFor(others), heard]
  return { ...circuit, domains: { ...domains, reporters, doubts } }
}

const newDoubt = ({ process, worker, domain, own }: Reporter, now: number, total: number): Doubt => ({
  process,
  worker,
  domain,
  sinceMs: now - own.sinceMs,
  failures: own.failures,
  seenMs: now,
  namedMs: 0,
  against: '',
  total,
})

/** The longest silent makes room; of several, the first. */
function roomFor(doubts: readonly Doubt[]): readonly Doubt[] {
  if (doubts.length < MAX_DOUBTS) return doubts
  const silent = doubts.reduce((least, next) => (next.seenMs < least.seenMs ? next : least))
  return doubts.filter((doubt) => doubt !== silent)
}

/** Whether the run's outcomes decide nothing: its process is a suspect. A trial with a lease was given to it on purpose. */
export const isDisbelieved = (
  { domains, phase }: Circuit,
  reporter: Reporter | null,
  { token }: Run,
): boolean =>
  reporter !== null &&
  isSuspect(domains, reporter.process) &&
  !(phase.state === 'half_open' && phase.trials.has(token))

/** A success that counts: others that fail meanwhile fail alone. */
export function noteSuccess(circuit: Circuit, run: CircuitRun, { domain, pauseMs }: Reporter): Step {
  const { domains, lastNowMs: now } = circuit
  const call = run.origin === 'call'
  const noted = {
    ...circuit,
    domains: {
      ...domains,
      successes: stamped(domains.successes, call ? domain : PROBES, now, MAX_SUCCESSES),
      succeeded: call ? domains.succeeded + run.count : domains.succeeded,
    },
  }
  return stateAt(circuit.phase, now) === 'closed'
    ? nameSuspects(noted, pauseMs)
    : { circuit: noted, events: [] }
}

/** The domains after a run on a closed circuit: a failure makes its domain a witness, a success ends the run of witnesses. */
export function witness(
  circuit: Circuit,
  run: CircuitRun,
  { domain }: Reporter,
  settings: BreakerSettings,
): Domains {
  const { domains, lastNowMs: now } = circuit
  const field = run.origin === 'call' ? 'witnesses' : 'probeWitnesses'
  const good = isSuccess(run.outcome)
  const next = { ...domains, [field]: good ? [] : witnessed(domains[field], domain) }
  if (run.origin === 'probe' || !judgesRates(settings) || (good && run.outcome !== 'degraded')) return next
  return {
    ...next,
    failing: good ? domains.failing : stamped(domains.failing, domain, now, MAX_DOMAINS),
    poor: stamped(domains.poor, domain, now, MAX_DOMAINS),
  }
}

/** Whether enough domains have seen what a rule judges by. */
export interface Backing {
  readonly run: boolean
  readonly failures: boolean
  readonly poor: boolean
}

export const BACKED: Backing = { run: true, failures: true, poor: true }

/** `domains`: with the witness of the run. */
export function backing(
  domains: Domains,
  { origin }: Run,
  circuit: Pick<Circuit, 'lastNowMs' | 'rateWindow'>,
  settings: BreakerSettings,
): Backing {
  const { lastNowMs: now, rateWindow } = circuit
  const needed = Math.min(settings.quorum, aliveDomains(domains, now, settings).length)
  const { bucketMs } = rateWindow
  const within = (atMs: number) => Math.floor(now / bucketMs) - Math.floor(atMs / bucketMs) < BUCKETS
  const inWindow = (list: Domains['failing']) => list.filter(({ atMs }) => within(atMs)).length
  const witnesses = origin === 'call' ? domains.witnesses : domains.probeWitnesses
  return {
    run: witnesses.length >= needed,
    failures: inWindow(domains.failing) >= needed,
    poor: inWindow(domains.poor) >= needed,
  }
}

const BUCKETS = 10

/** After the runs of a batch: whether doubtful processes alone open the circuit. They come with a batch: the store has no timer. */
export function endReport(
  circuit: Circuit,
  { process, domain, pauseMs }: Reporter,
  runs: readonly Run[],
  { settings, jitterDraw }: { readonly settings: BreakerSettings; readonly jitterDraw: number },
): Step {
  const run = runs.at(-1)
  const { domains, lastNowMs: now } = circuit
  const doubt = domains.doubts.find((each) => each.process === process && each.namedMs === 0)
  const failed = run !== undefined && isCircuitRun(run) && run.origin === 'call' && !isSuccess(run.outcome)
  if (doubt === undefined || !failed || run.generation !== circuit.generation) return { circuit, events: [] }
  if (circuit.phase.state !== 'closed') return { circuit, events: [] }
  const aged = domains.doubts.filter(
    ({ namedMs, sinceMs }) => namedMs === 0 && now - sinceMs >= settlesAfterMs(pauseMs),
  )
  const count = new Set(aged.map(({ domain }) => domain)).size
  if (count >= settings.quorum)
    return open(
      circuit,
      { reason: `${count} failure domains see failures alone`, run, domain },
      settings,
      jitterDraw,
    )
  const other = successBeside(domains, doubt.domain)
  const silentMs = now - doubt.sinceMs
  if (silentMs < settings.quorumGraceMs || (other !== undefined && other.atMs > doubt.sinceMs))
    return { circuit, events: [] }
  return open(
    circuit,
    { reason: `no other domain succeeded for ${silentMs} ms`, run, domain },
    settings,
    jitterDraw,
  )
}

/** How long a half-open circuit is kept for other domains, ms: a busy bad domain is not to take every trial. */
export function keptForOthersMs(
  circuit: Circuit,
  { incarnation = '', failureDomain = UNTRIED }: Pick<AdmitRequest, 'incarnation' | 'failureDomain'>,
  { quorum }: BreakerSettings,
): number {
  const { domains, phase, lastNowMs: now, cooldownMs } = circuit
  if (quorum === 1 || !domains.wide || phase.state === 'closed') return 0
  if (!isSuspect(domains, incarnation) && !domains.failedTrials.includes(failureDomain)) return 0
  const cooledAtMs = phase.state === 'open' ? (phase.retryAtMs ?? now) : circuit.stateSinceMs
  return Math.max(0, cooledAtMs + Math.floor(cooldownMs / 10) - now)
}
