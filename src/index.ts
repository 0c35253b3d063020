export { connect } from './connect.js'
export type { ConnectOptions } from './connect-options.js'
export type { Busbar } from './client/busbar.js'
export type { ListenerOptions } from './client/shared/listeners.js'
export type {
  Alert,
  AlertHook,
  AlertKind,
  AlertMessage,
  AlertOptions,
  AlertStatus,
  AlertWorker,
  HookKind,
  SlackHook,
  WebhookHook,
} from './model/alerts.js'
export { ALERT_KINDS, HOOK_KINDS } from './model/alerts.js'
export type { ProbeNowOptions, ProbeSchedules } from './client/fleet-probes.js'
export type { ProviderOptions } from './client/registry/provider-options.js'
export type { Family, FamilyLimits, FamilyOptions, FamilySettings } from './client/registry/family.js'
export type { ProbeWorker, ProbeWorkerOptions } from './client/probing/probe-worker.js'
export type { SettingChange, SettingsPlan } from './client/settings-plan.js'
export type { ProbeReport } from './client/probing/probe-ticket.js'
export type { Inspection, WrongType } from './model/inspection.js'
export type { Planned, ProbeQueueState, ProbeReason } from './model/ports/schedule.js'
export { maskSecrets, maskSecretsInText } from './config/mask.js'
export { redactText } from './model/redact.js'
export type { CallsByWorker, WorkerCalls } from './client/calls-by-worker.js'
export type { Provider } from './client/provider.js'
export type { ControlOptions, TimedControlOptions } from './client/provider-control.js'
export type { WrapOptions } from './client/call/guarded-function.js'
export type {
  Admitted,
  Decision,
  Permit,
  Refused,
  Settled,
  SettleOptions,
} from './client/admission/permit.js'
export type { ReadyOptions } from './client/admission/readiness.js'
export type { CallContext, ExecuteOptions, MemberContext } from './client/call/call.js'
export type { Guarded, GuardedMember } from './client/call/execute.js'
export type {
  Group,
  GroupAdmitted,
  GroupDecision,
  GroupLastResort,
  GroupMember,
  GroupRefused,
} from './client/group/group.js'
export type {
  FailoverContext,
  FailoverOn,
  GroupAdmitOptions,
  GroupExecuteOptions,
  GroupFailure,
  GroupOptions,
  GroupOrderOptions,
} from './client/group/group-options.js'
export { GROUP_HEALTHS, groupHealthOf, type GroupHealth, type MemberHealth } from './rules/group-health.js'
export type { Classify, Verdict } from './client/call/classify.js'
export type { Counters, Logger } from './client/shared/log.js'
export type { Snapshot } from './client/sync/snapshot.js'
export type { Block } from './rules/blocks.js'
export type { DecisionObservation, Observer, OutcomeObservation } from './model/observations.js'
export type { Outage, OutageCause } from './model/outage.js'
export type { HistoryEntry } from './model/snapshot.js'
export type {
  AnyEvent,
  AnyEventOf,
  AnyKind,
  EventChanges,
  EventFields,
  EventKind,
  EventOf,
  ProviderEvent,
  StoreEvent,
  StoreEventKind,
  StoreLostEvent,
  StoreRestoredEvent,
} from './model/events.js'
export { EVENT_KINDS, STORE_EVENT_KINDS } from './model/events.js'
export type { BreakerSettings, HistorySettings, Recovery, Settings, SettingsInput } from './model/settings.js'
export type {
  CheckCommand,
  CommonProbeSettings,
  FunctionProbeSettings,
  HeartbeatProbeSettings,
  HttpProbeSettings,
  JsonCondition,
  JsonScalar,
  ProbeFunction,
  ProbeFunctionContext,
  ProbeInput,
  ProbeKind,
  ProbeSettings,
  ProbeVerdict,
  ProcessProbeSettings,
  ProcessSource,
  ProcessTarget,
  RedisProbeSettings,
  RunningProcess,
  TcpProbeSettings,
  TlsSettings,
} from './model/probe.js'
export { PROBE_KINDS } from './model/probe.js'
export type {
  CircuitState,
  HealthStatus,
  LaterWord,
  Mark,
  Outcome,
  RefusalCode,
  Source,
} from './model/words.js'
export { CIRCUIT_STATES, HEALTH_STATUSES, KEY_SCHEMA, MARKS, OUTCOMES, REFUSAL_CODES } from './model/words.js'
export { DEFAULTS } from './config/defaults.js'
export type { Consistency, OnRedisDown } from './config/options.js'
export type { ClusterNode, RedisAddress, RedisLike } from './redis/address.js'
export {
  ArgumentError,
  BusbarClosedError,
  BusbarError,
  CallRefusedError,
  CallTimeoutError,
  CommandLateError,
  ERROR_CODES,
  GroupExhaustedError,
  ProviderRemovedError,
  RedisUnavailableError,
  RedisUnsupportedError,
  SettingsError,
  UnknownProviderError,
  isBusbarError,
  type ErrorByCode,
  type ErrorCode,
  type ErrorOf,
  type GroupAttempt,
  REDIS_FAILURES,
  type RedisFailure,
} from './model/errors.js'
