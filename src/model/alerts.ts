import { EVENT_KINDS, type EventKind } from './events.js'

/** The kinds of hooks. `slack`: every receiver that takes `{ text }`, as Slack, Mattermost and Rocket.Chat do. */
export const HOOK_KINDS = ['webhook', 'slack'] as const
export type HookKind = (typeof HOOK_KINDS)[number]

/** Events that a hook may ask for. A removed provider takes its stream of events with it, so not `removed`. */
export type AlertKind = Exclude<EventKind, 'removed'>
export const ALERT_KINDS: readonly AlertKind[] = EVENT_KINDS.filter((kind) => kind !== 'removed')

/** Where alerts go, and which. */
interface CommonHook {
  /**
   * An `http:` or `https:` URL. It may be a secret, so it is never shown, and Redis never has it: `${env:NAME}` stands for a
   * variable of the environment of each process that sends.
   */
  readonly url: string
  /**
   * The kinds of events that it is told of. Default `opened`, `closed`, `reset`, `probe_overdue`, `worker_suspected` and
   * `worker_cleared`. A failed trial, which opens a circuit again in the same outage, is no alert.
   */
  readonly on?: readonly AlertKind[]
  /** Ids of providers, or patterns: `*` stands for any letters. 1 to 100; default all. */
  readonly providers?: readonly string[]
  /** Groups whose providers it is told of, beside those of `providers`. 1 to 100; default all. */
  readonly groups?: readonly string[]
}

/** A receiver of its own: a message is JSON, see docs/alerts.md. */
export interface WebhookHook extends CommonHook {
  readonly kind: 'webhook'
  /** Signs each message with HMAC-SHA256. 8 to 1 024 characters, or `${env:NAME}`; default none: not signed. */
  readonly secret?: string
}

/** A receiver that takes `{ text }`. */
export interface SlackHook extends CommonHook {
  readonly kind: 'slack'
}

export type AlertHook = WebhookHook | SlackHook

/** See `busbar.startAlerts()`. */
export interface AlertOptions {
  /** Hooks by name: 1 to 64 letters, digits, `_` and `-`; 1 to 16 of them. Redis, logs and metrics know them by it. */
  readonly hooks: Readonly<Record<string, AlertHook>>
  /** What happens within this time after a first event is one message, ms. 100 to 600 000, default 10 000. */
  readonly groupMs?: number
  /**
   * The pause after the first attempt that failed, ms; each is twice the one before, and 10 minutes at most. After 6 hours
   * or so (42 attempts with the default) a message is lost. 10 to 600 000, default 5 000.
   */
  readonly retryMs?: number
}

/** A process that sends alerts. */
export interface AlertWorker extends AsyncDisposable {
  /** Lets an attempt under way end, and stops. What is left, other processes send, or this one at its next start. */
  close(): Promise<void>
}

/** `firing`: something is wrong; `resolved`: it is over; `info`: neither. */
export type AlertStatus = 'firing' | 'resolved' | 'info'

/** One provider in a message: the last of several events of the same subject. */
export interface Alert {
  readonly provider: string
  readonly kind: AlertKind
  readonly status: AlertStatus
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly actor: string
  readonly worker: string
  /** When the last event happened, Redis ms. */
  readonly at: number
  /** When the first of them did, Redis ms. */
  readonly since: number
  /** How many events of each kind there were. */
  readonly counts: Readonly<Partial<Record<AlertKind, number>>>
  readonly text: string
}

/** The body of a webhook. */
export interface AlertMessage {
  readonly delivery: string
  readonly hook: string
  readonly namespace: string
  /** `firing` where one of the alerts is; else `resolved` where one is. */
  readonly status: AlertStatus
  /** All of it, for a person. */
  readonly text: string
  /** At most 50, those that fire first. */
  readonly alerts: readonly Alert[]
  /** How many more there were. */
  readonly omitted: number
  /** Sent by `busbar alerts test`. */
  readonly test: boolean
}
