import { RedisUnavailableError } from '../../model/errors.js'
import { redactFields, redactText } from '../../model/redact.js'

/** The part of pino that Busbar uses: any logger of this shape will do. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type Level = keyof Logger

/** What was swallowed so that a user's work goes on: counted here, and logged. */
export interface Counters {
  /** Outcomes that could not be written because Redis did not answer, or refused them. */
  outcomesLost: number
  /** Admissions that Redis did not answer, and that were therefore refused. */
  admissionsWithoutRedis: number
  /** Listeners, loggers and classifiers of the user that threw, and verdicts of classifiers that make no sense. */
  callbacksFailed: number
  /** Errors of connections, and messages that made no sense. */
  connectionErrors: number
  /** Connections that no longer answered though Redis did (a flow dropped in silence), and were replaced. */
  connectionsReplaced: number
  /** How often Redis refused the commands of one provider for good, so that this process decided without it. */
  providersCutOff: number
  /** Calls that timed out or were slow while the event loop of this process stood still: they say nothing of the provider. */
  callsStalled: number
  /** Probes that this worker could not make, for a reason of its own. */
  probesDiscarded: number
  /** Plans of probes, and repeated jobs of the probe queue, that were gone or stuck, and that this worker made again. */
  probeSchedulesRepaired: number
  /** Jobs of BullMQ that `guard` deferred, instead of letting an attempt of theirs fail. */
  jobsDeferred: number
  /** Turns of probes that were lost because the queue of their name was paused, or without a worker. */
  probeTurnsLost: number
}

export const newCounters = (): Counters => ({
  outcomesLost: 0,
  admissionsWithoutRedis: 0,
  callbacksFailed: 0,
  connectionErrors: 0,
  connectionsReplaced: 0,
  providersCutOff: 0,
  callsStalled: 0,
  probesDiscarded: 0,
  probeSchedulesRepaired: 0,
  jobsDeferred: 0,
  probeTurnsLost: 0,
})

/** Writes nothing. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** No secret reaches a logger of the user. One that throws, or rejects, disturbs nothing; it is counted. */
export function guardLogger(logger: Logger, counters: Counters): Logger {
  const failed = () => {
    counters.callbacksFailed += 1
  }
  const guard = (level: Level) => (fields: object, message: string) => {
    try {
      // Typed as void, but a user's may answer a promise.
      const write: (fields: object, message: string) => unknown = logger[level].bind(logger)
      onRejection(write(redactFields(fields), redactText(message)), failed)
    } catch {
      failed()
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/** Calls `failed` if `result` is a promise, of any kind, that rejects. */
export function onRejection(result: unknown, failed: (error: unknown) => void): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return
  Promise.resolve(result).catch(failed)
}

/**
 * Clients repeat an error for as long as Redis is away: each is counted, and `OutageLog` says which are logged. `explain`
 * gives an error its words; default: it is one of Redis.
 */
export function connectionErrors(
  { log, counters }: { readonly log: Logger; readonly counters: Counters },
  message: string,
  explain = (error: Error): Error => new RedisUnavailableError('a connection', error),
): (error: Error) => void {
  return (error) => {
    counters.connectionErrors += 1
    log.warn({ err: explain(error) }, message)
  }
}

/** A connection that no longer answered, though Redis did on another; `silentMs`: how long nothing had come on it. */
export function replacedConnections(
  log: Logger,
  counters: Counters,
): (connection: string, silentMs: number) => void {
  return (connection, silentMs) => {
    counters.connectionsReplaced += 1
    log.warn({ connection, silentMs }, 'a connection no longer answered, though Redis does: it is replaced')
  }
}
