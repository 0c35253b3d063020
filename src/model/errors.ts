import type { Outcome, RefusalCode } from './words.js'

/** Every code of a Busbar error, with its meaning. Users recognise an error by its code. */
export const ERROR_CODES = {
  circuit_open: 'The circuit is open: the call was refused.',
  awaiting_probe: 'The circuit is half-open and a health check is to try first: the call was refused.',
  no_trial_free: 'The circuit is half-open and all trials are taken: the call was refused.',
  marked_unhealthy: 'The provider is marked unhealthy: the call was refused.',
  marked_terminated: 'The provider is marked terminated: the call was refused.',
  throttled: 'The provider asked for a pause (429): the call was refused.',
  recovering:
    'The circuit closed a while ago and lets through a growing share of calls: the call was refused.',
  worker_suspected: 'Calls of this process fail and those of others do not: the call was refused here alone.',
  redis_down: 'Redis could not be asked: the call was refused.',
  group_exhausted: 'No member of the group is left that could take the call.',
  call_timeout: 'The call ran past its timeoutMs; its signal was aborted.',
  settings_invalid: 'A setting or an option is unknown, of the wrong type, or out of bounds.',
  argument_invalid: 'An argument of a method is unknown, of the wrong type, or out of bounds.',
  provider_unknown: 'No provider is registered under this id.',
  provider_removed: 'The provider was removed; this handle is of no more use.',
  redis_unavailable: 'Redis did not answer in time or refused; whether the command ran is not known.',
  redis_unsupported: 'The Redis server lacks what Busbar needs.',
  command_late: 'Redis ran the command too late, so it did nothing.',
  busbar_closed: 'This busbar was closed.',
} as const
export type ErrorCode = keyof typeof ERROR_CODES

const BRAND = Symbol.for('busbar.error')

export class BusbarError extends Error {
  readonly code: ErrorCode
  readonly [BRAND] = true

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A setting, option or argument that makes no sense: names the path and the value. */
export class SettingsError extends BusbarError {
  /** Where: `breaker.failureThreshold`. */
  readonly path: string

  constructor(path: string, message: string) {
    super('settings_invalid', message)
    this.path = path
  }
}

export class ArgumentError extends BusbarError {
  readonly path: string

  constructor(path: string, message: string) {
    super('argument_invalid', message)
    this.path = path
  }
}

/** `execute` did not run the call. The code says why; nothing was spent. */
export class CallRefusedError extends BusbarError {
  readonly providerId: string
  /** ms until asking again can help; null when no deadline is known. */
  readonly retryAfterMs: number | null

  constructor(providerId: string, code: RefusalCode, reason: string, retryAfterMs: number | null) {
    super(code, `call to ${providerId} refused: ${reason}`)
    this.providerId = providerId
    this.retryAfterMs = retryAfterMs
  }
}

export class CallTimeoutError extends BusbarError {
  readonly providerId: string
  readonly timeoutMs: number

  constructor(providerId: string, timeoutMs: number) {
    super('call_timeout', `call to ${providerId} did not end within ${timeoutMs} ms`)
    this.providerId = providerId
    this.timeoutMs = timeoutMs
  }
}

/** How a group tried one of its members: the code of a refusal or of a returned answer, or the error of the call. */
export type GroupAttempt =
  | { readonly id: string; readonly code: RefusalCode | Outcome | 'provider_removed' | 'provider_unknown' }
  | { readonly id: string; readonly error: unknown }

/** No member of a group took the call; `attempts` says of each member why. */
export class GroupExhaustedError extends BusbarError {
  /** The name of the group, or the ids of its members. */
  readonly group: string
  /** In the order in which they were tried; empty when the group has no member. */
  readonly attempts: readonly GroupAttempt[]
  /** ms until the first member admits calls again; null when no deadline is known. */
  readonly retryAfterMs: number | null

  /** `reasons`: the attempts in words, without secrets. */
  constructor(
    group: string,
    attempts: readonly GroupAttempt[],
    reasons: readonly string[],
    retryAfterMs: number | null,
  ) {
    const more = reasons.length > MAX_REASONS ? `, and ${reasons.length - MAX_REASONS} more` : ''
    const why = reasons.length === 0 ? 'it has no members' : reasons.slice(0, MAX_REASONS).join(', ') + more
    super('group_exhausted', `no member of group ${group} is left: ${why}`)
    this.group = group
    this.attempts = attempts
    this.retryAfterMs = retryAfterMs
  }
}

/** As many stand in the message of an error; `attempts` has all. */
const MAX_REASONS = 8

export class UnknownProviderError extends BusbarError {
  readonly providerId: string

  constructor(providerId: string) {
    super('provider_unknown', `no provider is registered as ${providerId}`)
    this.providerId = providerId
  }
}

export class ProviderRemovedError extends BusbarError {
  readonly providerId: string

  constructor(providerId: string) {
    super(
      'provider_removed',
      `provider ${providerId} was removed; call busbar.provider() to register it again`,
    )
    this.providerId = providerId
  }
}

/**
 * How a command failed, which decides what follows.
 *
 * - `unanswered`     no reply in time, or no connection: whether it ran is not known. Redis counts as lost.
 * - `transient`      Redis answered that it cannot serve now (loading, failing over, busy). Redis counts as lost.
 * - `refuses_writes` Redis answers reads and refuses writes (out of memory, a replica). Redis counts as lost.
 * - `permanent`      waiting does not help: a person has to change a password, a right, a key, an address. It costs that
 *                    command alone, and is never tried again as an outage; but see `RedisUnavailableError.lockedOut`.
 */
export const REDIS_FAILURES = ['unanswered', 'transient', 'refuses_writes', 'permanent'] as const
export type RedisFailure = (typeof REDIS_FAILURES)[number]

export class RedisUnavailableError extends BusbarError {
  readonly failure: RedisFailure
  /** Whether Redis refuses this whole process (password, address, certificate), and not this one command. */
  readonly lockedOut: boolean

  constructor(doing: string, cause: unknown, failure: RedisFailure = 'unanswered', lockedOut = false) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    super('redis_unavailable', `no answer from Redis for ${doing}: ${detail}`, { cause })
    this.failure = failure
    this.lockedOut = lockedOut
  }
}

/** How an error of Redis failed; undefined for any other error. */
export function redisFailure(error: unknown): RedisFailure | undefined {
  if (!isBusbarError(error, 'redis_unavailable') || !('failure' in error)) return undefined
  return REDIS_FAILURES.find((failure) => failure === error.failure)
}

/** Whether this failure means that the store serves this process no more; see `REDIS_FAILURES`. */
export function meansLost(error: unknown): boolean {
  const failure = redisFailure(error)
  return failure !== undefined && (failure !== 'permanent' || isLockedOut(error))
}

/** Whether Redis refuses this whole process, until a password, an address or a certificate is changed. */
export const isLockedOut = (error: unknown): boolean =>
  isBusbarError(error, 'redis_unavailable') && 'lockedOut' in error && error.lockedOut

/** Errors that say nothing about what the store holds of a provider. */
const NO_TROUBLE: readonly ErrorCode[] = [
  'busbar_closed',
  'provider_removed',
  'provider_unknown',
  'command_late',
]

/**
 * Whether this failure of a command concerns one provider alone, in a store that serves all others: a key of another type,
 * a right that is missing, something stored that cannot be read.
 */
export const isProviderTrouble = (error: unknown): boolean =>
  !meansLost(error) && !NO_TROUBLE.some((code) => isBusbarError(error, code))

export class RedisUnsupportedError extends BusbarError {
  constructor(message: string) {
    super('redis_unsupported', message)
  }
}

export class CommandLateError extends BusbarError {
  constructor(doing: string, providerId: string) {
    super('command_late', `Redis ran ${doing} of ${providerId} after its time limit, so it did nothing`)
  }
}

export class BusbarClosedError extends BusbarError {
  constructor() {
    super('busbar_closed', 'this busbar was closed')
  }
}

/** The class of the errors with each code. */
export interface ErrorByCode extends Record<RefusalCode, CallRefusedError> {
  group_exhausted: GroupExhaustedError
  call_timeout: CallTimeoutError
  settings_invalid: SettingsError
  argument_invalid: ArgumentError
  provider_unknown: UnknownProviderError
  provider_removed: ProviderRemovedError
  redis_unavailable: RedisUnavailableError
  redis_unsupported: RedisUnsupportedError
  command_late: CommandLateError
  busbar_closed: BusbarClosedError
}

/** An error with this code: `ErrorOf<'circuit_open'>` has `retryAfterMs` and `providerId`. */
export type ErrorOf<C extends ErrorCode> = C extends ErrorCode ? ErrorByCode[C] & { readonly code: C } : never

/**
 * Whether `error` comes from Busbar (any copy of it) and, if given, has `code`; then its type is the class of that code.
 * Never throws.
 */
export function isBusbarError<C extends ErrorCode>(error: unknown, code: C): error is ErrorOf<C>
export function isBusbarError(error: unknown, code?: ErrorCode): error is BusbarError
export function isBusbarError(error: unknown, code?: ErrorCode): error is BusbarError {
  if (typeof error !== 'object' || error === null) return false
  try {
    return BRAND in error && (code === undefined || ('code' in error && error.code === code))
  } catch {
    // Any value can be thrown, even a proxy that throws at every access. Such a value is no Busbar error.
    return false
  }
}
