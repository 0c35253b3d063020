export { connect, type ConnectOptions } from './connect.js'
export type { Busbar, ProbeWorker, ProbeWorkerOptions, ProviderOptions } from './client/busbar.js'
export type { Provider, ControlOptions, TimedControlOptions } from './client/provider.js'
export type { Admitted, Decision, Permit, Refused, Settled, SettleOptions } from './client/admission.js'
export type { CallContext, ExecuteOptions } from './client/call.js'
export type { Guarded } from './client/execute.js'
export type { Classify, Verdict } from './client/classify.js'
export type { Counters, Logger } from './client/log.js'
export type { Snapshot } from './client/snapshot.js'
export type { HistoryEntry } from './model/snapshot.js'
export type { EventKind, ProviderEvent } from './model/events.js'
export { EVENT_KINDS } from './model/events.js'
export type {
  BreakerSettings,
  HistorySettings,
  HttpProbeSettings,
  ProbeSettings,
  Settings,
  SettingsInput,
} from './model/settings.js'
export type { CircuitState, HealthStatus, Mark, Outcome, RefusalCode, Source } from './model/words.js'
export { CIRCUIT_STATES, HEALTH_STATUSES, MARKS, OUTCOMES, REFUSAL_CODES } from './model/words.js'
export { DEFAULTS } from './config/defaults.js'
export type { Consistency } from './config/options.js'
export type { RedisAddress, RedisLike } from './redis/connection.js'
export {
  ArgumentError,
  BusbarClosedError,
  BusbarError,
  CallRefusedError,
  CallTimeoutError,
  CommandLateError,
  ERROR_CODES,
  ProviderRemovedError,
  RedisUnavailableError,
  RedisUnsupportedError,
  SettingsError,
  UnknownProviderError,
  isBusbarError,
  type ErrorCode,
} from './model/errors.js'
