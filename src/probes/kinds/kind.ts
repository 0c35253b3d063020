import type { ProbeFunction, ProbeFinding, ProberError, ProcessSource } from '../../model/probe.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { ProcessTime } from '../../client/shared/time.js'

/** All that a probe worker has to know of one kind of probe, whose settings are `P`. */
export interface KindOfProbe<P> {
  /** Makes the probe. Never rejects: whatever happens is a finding, and comes within about `timeoutMs`. */
  readonly run: (probe: P, subject: ProbeSubject, means: ProbeMeans) => Promise<ProbeFinding>
  /** Why this worker cannot make it, known before anything is asked of Redis. Another worker may be able to. */
  readonly unable: (probe: P, registered: Registered) => ProberError | undefined
  /** What it needs of a worker, by `registeredName`; empty: nothing. */
  readonly needs: (probe: P) => string
  /** The address whose answer shows that this worker's own network is well; undefined: none, or not known. */
  readonly address: (probe: P) => Address | undefined
  /**
   * Judged by what the provider wrote to Redis, and by Redis's clock. Then a standstill of this worker delays nothing, and
   * a cached snapshot does not do: heartbeats are announced to no process, and have to be read.
   */
  readonly judgesSnapshot: boolean
}

/** The code that a worker registered, by name. */
export interface Registered {
  readonly processes: ReadonlyMap<string, ProcessSource>
  readonly functions: ReadonlyMap<string, ProbeFunction>
}

/** The provider that is probed. */
export interface ProbeSubject {
  readonly providerId: string
  readonly heard: Heard
  /** When the settings were set, Redis ms. */
  readonly settingsSetAt: number
}

/** When a provider last reported by itself, as its snapshot tells; all by Redis's clock. */
export type Heard = Pick<StoredSnapshot, 'at' | 'heartbeatAt' | 'heartbeatProgress' | 'heartbeatProgressAt'>

/** What one worker has for its probes. */
export interface ProbeMeans {
  readonly workerId: string
  readonly registered: Registered
  /** Providers whose function is under way, by name and id. */
  readonly underway: Set<string>
  readonly time: ProbeTime
}

/** What a function is timed by; other kinds wait for sockets and processes, which know no time but the system's. */
export type ProbeTime = Pick<ProcessTime, 'clock' | 'timers'>

export interface Address {
  readonly host: string
  readonly port: number
}

/** The name of what a worker registers; it is stored with the schedule, and names a queue. */
export const registeredName = (what: 'function' | 'process', name: string): string => `${what}/${name}`

/** The answer of a worker that lacks the code of a probe. */
export const unregistered = (what: 'function' | 'process', name: string): ProberError => ({
  kind: 'prober_error',
  reason: `no ${what} named ${name} is registered in this worker`,
})

/** Of a kind that any worker can make. */
export const ANY_WORKER = { unable: () => undefined, needs: () => '' } as const

/** Of a kind that does not ask over the network. */
export const NO_ADDRESS = { address: () => undefined } as const

/** The address in a URL; undefined for the path of a socket. */
export function addressIn(url: string): Address | undefined {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(port) || (DEFAULT_PORTS[protocol] ?? 80) }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6_379,
  'rediss:': 6_379,
}
