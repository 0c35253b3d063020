import type { BreakerSettings } from '../model/settings.js'
import type { Suspect } from '../model/snapshot.js'

/** A failure domain, and when it was last heard of, ms. */
export interface Stamp {
  readonly domain: string
  readonly atMs: number
}

/** A process that doubts itself; once it is named, it is a suspect, and its outcomes decide nothing. */
export interface Doubt {
  /** Random name of the life of the process. */
  readonly process: string
  readonly worker: string
  readonly domain: string
  /** When its own run of failures began, ms. */
  readonly sinceMs: number
  /** Failures in that run. */
  readonly failures: number
  /** When it last reported, ms. */
  readonly seenMs: number
  /** When it was named, ms; 0: it was not. */
  readonly namedMs: number
  /** The domain whose success named it. */
  readonly against: string
  /** `succeeded` when it was first heard of. */
  readonly total: number
}

/**
 * The failure domains of one provider, while a quorum is set: who reports it, who saw failures, who fails alone. Every list
 * is short and bounded, the newest first, so that a batch costs O(1). `lua/lib/domains.lua` keeps the same in a hash.
 */
export interface Domains {
  /** The last domains that reported the provider. */
  readonly reporters: readonly Stamp[]
  /** The last success of each of two domains. */
  readonly successes: readonly Stamp[]
  /** Successes of calls that counted. */
  readonly succeeded: number
  /** Domains whose failures are in the present run of failed calls; and in that of failed probes. */
  readonly witnesses: readonly string[]
  readonly probeWitnesses: readonly string[]
  /** Domains with failed calls in the rate window; and with degraded or failed ones. */
  readonly failing: readonly Stamp[]
  readonly poor: readonly Stamp[]
  /** The oldest first. */
  readonly doubts: readonly Doubt[]
  /** When a suspect of a domain was last announced. */
  readonly announced: readonly Stamp[]
  /** Domains whose trials failed in this outage, the last one first: fewer than were alive when it began. */
  readonly failedTrials: readonly string[]
  /** Whether more than one domain was alive when the circuit opened. */
  readonly wide: boolean
}

export const NO_DOMAINS: Domains = {
  reporters: [],
  successes: [],
  succeeded: 0,
  witnesses: [],
  probeWitnesses: [],
  failing: [],
  poor: [],
  doubts: [],
  announced: [],
  failedTrials: [],
  wide: false,
}

/** The domain of all processes that have never had a success, together: restarts under new names are one witness. */
export const UNTRIED = '?'
/** The domain that successful probes count for. */
export const PROBES = '*'

export const MAX_DOMAINS = 4
export const MAX_SUCCESSES = 2
export const MAX_DOUBTS = 16
const FORGET_MS = 60_000

/** The list with this domain in front. */
export const stamped = (stamps: readonly Stamp[], domain: string, atMs: number, most: number): Stamp[] =>
  [{ domain, atMs }, ...stamps.filter((stamp) => stamp.domain !== domain)].slice(0, most)

export const witnessed = (witnesses: readonly string[], domain: string): readonly string[] =>
  witnesses.includes(domain) ? witnesses : [domain, ...witnesses].slice(0, MAX_DOMAINS)

/** How long a process or a domain that is silent counts as there, ms. */
export const memoryMs = ({ cooldownMs }: BreakerSettings): number => Math.max(FORGET_MS, 3 * cooldownMs)

/** Domains that reported the provider recently. `atMs`: now; while the circuit is not closed, the time at which it opened. */
export const aliveDomains = (
  { reporters }: Domains,
  atMs: number,
  settings: BreakerSettings,
): readonly string[] =>
  reporters.filter((stamp) => atMs - stamp.atMs <= memoryMs(settings)).map(({ domain }) => domain)

/** The last success of another domain; undefined: there was none. */
export const successBeside = ({ successes }: Domains, domain: string): Stamp | undefined =>
  successes
    .filter((stamp) => stamp.domain !== domain)
    .reduce<Stamp | undefined>(
      (last, next) => (last === undefined || next.atMs > last.atMs ? next : last),
      undefined,
    )

/** Whether a process is a suspect. */
export const isSuspect = ({ doubts }: Domains, process: string): boolean =>
  doubts.some((doubt) => doubt.process === process && doubt.namedMs > 0)

/**
 * After the circuit closed: what was heard before the outage counts as heard so much later, since no calls are made while it is
 * open. Witnesses start over.
 */
export function afterOutage(domains: Domains, sinceMs: number, nowMs: number): Domains {
  if (domains === NO_DOMAINS) return domains
  const later = (atMs: number) => Math.min(nowMs, atMs + nowMs - sinceMs)
  return {
    ...withoutRuns(domains),
    reporters: domains.reporters.map(({ domain, atMs }) => ({ domain, atMs: later(atMs) })),
    doubts: namedOf(domains).map((doubt) => ({ ...doubt, seenMs: later(doubt.seenMs) })),
    failedTrials: [],
    wide: false,
  }
}

/** After any transition: the runs of failures, those of single processes too, start over. */
export const withoutRuns = (domains: Domains): Domains =>
  domains === NO_DOMAINS
    ? domains
    : { ...domains, witnesses: [], probeWitnesses: [], failing: [], poor: [], doubts: namedOf(domains) }

const namedOf = ({ doubts }: Domains): readonly Doubt[] => doubts.filter(({ namedMs }) => namedMs > 0)

/** The part of a snapshot that is the suspects'. */
export const presentSuspects = (domains: Domains, { quorum }: BreakerSettings): readonly Suspect[] =>
  quorum === 1
    ? []
    : namedOf(domains).map(({ worker, domain, sinceMs, namedMs, failures, total, against }) => ({
        worker,
        domain,
        since: sinceMs,
        namedAt: namedMs,
        failures,
        successes: domains.succeeded - total,
        against,
      }))
