import type { HealthStatus } from './words.js'

/** The settings of probes, and their results. */

/** The kinds of probes that exist. */
export const PROBE_KINDS = [
  'http',
  'tcp',
  'redis',
  'process',
  'function',
  'heartbeat',
] as const satisfies readonly (keyof ProbeSettingsByKind)[]
export type ProbeKind = (typeof PROBE_KINDS)[number]

/** The settings of every kind of probe. */
export interface CommonProbeSettings {
  /** How often the fleet probes, ms. 10 ms to 1 day, default 10 000. */
  readonly intervalMs: number
  /** A probe that has not ended by then is `timeout`, ms. Default 2 000, or the shortest interval where that is shorter; never longer than that. */
  readonly timeoutMs: number
  /** How often after a failed probe, until the provider is clear again, ms. 10 ms to `intervalMs`. Default: as ever. */
  readonly suspiciousIntervalMs?: number
  /** How often while the circuit is open, ms; longer or shorter than `intervalMs`. 10 ms to 1 day. Default: as ever. */
  readonly downIntervalMs?: number
  /** Successive healthy probes before one counts as healthy again after unhealthy. 1 to 1 000, default 1. */
  readonly healthyAfter: number
  /** Successive bad probes before one counts as bad. 1 to 1 000, default 1. */
  readonly unhealthyAfter: number
}

/** A condition on the JSON of an answer: a path, and exactly one of the others. */
export interface JsonCondition {
  /** `$.status` or `checks[0].state`: names and indexes, at most 20 of them; `$` is the whole. */
  readonly path: string
  /** The value is this very one. */
  readonly equals?: JsonScalar
  /** The value is one of these; 1 to 50. */
  readonly oneOf?: readonly JsonScalar[]
  /** The value is a number above this. */
  readonly above?: number
  /** The value is a number below this. */
  readonly below?: number
  /** Whether there is such a value; null is one. */
  readonly exists?: boolean
}

export type JsonScalar = string | number | boolean | null

/** An HTTP request as a health check. */
export interface HttpProbeSettings extends CommonProbeSettings {
  readonly kind: 'http'
  /** `http:` or `https:`. May hold `${env:NAME}` in path and query. */
  readonly url: string
  /** Default `GET`. One without content: `HEAD` takes no body condition, and `GET` and `HEAD` take no `body`. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** Request headers. Stored in Redis in clear, but for `${env:NAME}`, which the process that probes resolves. Default none. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * The content of the request, as text in UTF-8; 1 to 16 384 characters. Its type is for `headers` to say. Stored in Redis in clear, but
   * for `${env:NAME}`; every display masks it. Default: none.
   */
  readonly body?: string
  /**
   * How the provider is reached: `env` by the proxy that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the process that
   * probes name, `none` directly, or the `http:` or `https:` URL of a proxy. Its user and password may be `${env:NAME}`, and
   * are masked in every display. Default `env`.
   */
  readonly proxy?: string
  /** HTTP/2 and nothing else: by ALPN for `https:`, by prior knowledge for `http:`. Default false: HTTP/1.1. */
  readonly http2?: boolean
  /** Statuses that count as an answer, each a code (`200`) or a class (`2xx`). Default `['2xx']`. */
  readonly expectStatus: readonly (number | string)[]
  /** The first 64 KiB of the body must contain this text. Default: the body is not looked at. */
  readonly bodyContains?: string
  /** All of these must hold for the body, which is then JSON of at most 64 KiB; 1 to 20. Default: none. */
  readonly json?: readonly JsonCondition[]
  /** An answer slower than this is `degraded`, ms. Default: none is. */
  readonly degradedMs?: number
}

export interface TlsSettings {
  /** The name that is asked for (SNI) and that the certificate must hold; an address is not asked for. Default: the host. */
  readonly servername?: string
  /** A certificate that expires in fewer days is `degraded`. 1 to 36 500. Default: none is. */
  readonly minDaysToExpiry?: number
  /** Whether the certificate must come from an authority that the worker trusts. Default true. */
  readonly rejectUnauthorized: boolean
}

/** A TCP connection, with a TLS handshake if asked for, as a health check. Nothing is sent over it. */
export interface TcpProbeSettings extends CommonProbeSettings {
  readonly kind: 'tcp'
  /** A name or an address, at most 253 characters. */
  readonly host: string
  /** 1 to 65 535. */
  readonly port: number
  /** Default: no TLS. */
  readonly tls?: TlsSettings
  /** A connection that took longer is `degraded`, ms. Default: none is. */
  readonly degradedMs?: number
}

/** A PING to a Redis as a health check. */
export interface RedisProbeSettings extends CommonProbeSettings {
  readonly kind: 'redis'
  /** `redis://host:port`, `rediss://host:port` or the path of a socket; never with credentials. */
  readonly url: string
  /** Environment variable of the probing worker that holds the user's name; begins with `BUSBAR_PROBE_`. Default: none. */
  readonly usernameEnv?: string
  /** As `usernameEnv`, for the password. Default: none, no AUTH is sent. */
  readonly passwordEnv?: string
  /** The role that ROLE must answer. Default: it is not asked. */
  readonly role?: 'master' | 'replica'
  /** Answers that took longer are `degraded`, ms. Default: none is. */
  readonly degradedMs?: number
}

/** A process, or a command, that a probe worker registered under this name: see `startProbes({ processes })`. */
export interface ProcessProbeSettings extends CommonProbeSettings {
  readonly kind: 'process'
  readonly name: string
}

/** A function that a probe worker registered under this name: see `startProbes({ functions })`. */
export interface FunctionProbeSettings extends CommonProbeSettings {
  readonly kind: 'function'
  readonly name: string
}

/** The provider reports by itself, with `provider.heartbeat()`; the probe looks when it last did. */
export interface HeartbeatProbeSettings extends CommonProbeSettings {
  readonly kind: 'heartbeat'
  /** Silence longer than this is `timeout`, ms. 10 ms to 1 day. */
  readonly ttlMs: number
  /** Heartbeats whose progress has not changed for longer than this are `degraded`, ms. 10 ms to 1 day. Default: none are. */
  readonly stallMs?: number
  /** A process that is looked at as well, by the workers that registered it. Default: none. */
  readonly process?: string
}

/** The settings of each kind. */
export interface ProbeSettingsByKind {
  readonly http: HttpProbeSettings
  readonly tcp: TcpProbeSettings
  readonly redis: RedisProbeSettings
  readonly process: ProcessProbeSettings
  readonly function: FunctionProbeSettings
  readonly heartbeat: HeartbeatProbeSettings
}

/** The settings of one of these kinds; by default, of any. */
export type ProbeSettings<K extends ProbeKind = ProbeKind> = {
  [P in K]: ProbeSettingsByKind[P & keyof ProbeSettingsByKind]
}[K]

type Partially<T> = { readonly [K in keyof T]?: T[K] | undefined }
type Given<T, Needed extends keyof T> = Pick<T, Needed> & Partially<Omit<T, Needed>>

interface ProbeInputByKind {
  readonly http: Given<HttpProbeSettings, 'kind' | 'url'>
  readonly tcp: Given<Omit<TcpProbeSettings, 'tls'>, 'kind' | 'host' | 'port'> & {
    /** `true`: with all defaults. */
    readonly tls?: true | Partially<TlsSettings> | undefined
  }
  readonly redis: Given<RedisProbeSettings, 'kind' | 'url'>
  readonly process: Given<ProcessProbeSettings, 'kind' | 'name'>
  readonly function: Given<FunctionProbeSettings, 'kind' | 'name'>
  readonly heartbeat: Given<HeartbeatProbeSettings, 'kind' | 'ttlMs'>
}

/** A probe as a caller writes it: an omitted setting takes its default. */
export type ProbeInput = ProbeInputByKind[ProbeKind]

/** The part of a worker's own network that a failed probe throws doubt on. */
export type LocalSuspicion = 'name_resolution' | 'network'

/** The result of one health check of the provider. */
export interface ProbeResult {
  readonly status: HealthStatus
  /** In words, for an operator: `HTTP 503`, `no answer within 2000 ms`. The first 200 characters are stored. */
  readonly detail: string
  readonly elapsedMs: number
  /** The part of this worker's own network that may have caused the failure. */
  readonly suspectLocal?: LocalSuspicion
  /** The answer came through a proxy: it says nothing about this worker's own way to the host. */
  readonly viaProxy?: true
  /** The end of what a command wrote, at most 4 KiB; for the worker's log, it is not stored. */
  readonly output?: string
}

/** A result as the kinds of probes give it. */
export interface JudgedProvider extends ProbeResult {
  readonly kind: 'judged'
}

/** The probe could not be made, for a reason of the worker's own. It says nothing about the provider. */
export interface ProberError {
  readonly kind: 'prober_error'
  /** In words: `no function named "db" is registered in this worker`. */
  readonly reason: string
  /** What was the matter with the worker; default `unable`: it cannot make this probe. */
  readonly discard?: DiscardReason
}

/** Why a worker could not make a probe: its loop stood still, it reaches no other host, or it cannot make that probe at all. */
export type DiscardReason = 'stalled' | 'network' | 'unable'

/** There is nothing to say yet: a provider that is to report by itself still has time for its first heartbeat. */
export interface NothingYet {
  readonly kind: 'nothing_yet'
  readonly reason: string
}

/** How one probe ended. */
export type ProbeFinding = JudgedProvider | ProberError | NothingYet

/** A process by its id. A `ChildProcess` of Node is one: then its exit code and signal are known too. */
export interface RunningProcess {
  /** Undefined: it could not be started. */
  readonly pid?: number | undefined
  /** Once it has ended by itself. */
  readonly exitCode?: number | null | undefined
  /** Once a signal has ended it. */
  readonly signalCode?: string | null | undefined
}

/** A command that is run as a check: a file and its arguments, no shell. Exit code 0 is healthy. */
export interface CheckCommand {
  readonly command: readonly [file: string, ...args: string[]]
}

export type ProcessTarget = RunningProcess | CheckCommand

/** A worker registers it under a name: the process or command itself, or a function that gives the present one. */
export type ProcessSource = ProcessTarget | (() => ProcessTarget | Promise<ProcessTarget>)

export interface ProbeFunctionContext {
  /** Aborted when the time is up, or the worker stops waiting. */
  readonly signal: AbortSignal
  readonly providerId: string
  readonly timeoutMs: number
}

/** `true` is healthy, `false` unhealthy. */
export type ProbeVerdict =
  HealthStatus | boolean | { readonly status: HealthStatus; readonly detail?: string }

/** A check in the worker's own code. A check that throws is `unhealthy`, with the error's message. */
export type ProbeFunction = (context: ProbeFunctionContext) => ProbeVerdict | Promise<ProbeVerdict>
