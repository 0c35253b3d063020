import type { ProviderEvent } from '../events.js'

/** A message of a hook that waits for its delivery: the same bytes in each attempt. */
export interface StagedMessage {
  /** Its id, the same in each attempt. */
  readonly delivery: string
  readonly body: string
}

/** The state of one hook that the whole fleet shares. */
export interface HookState {
  /** When the hook was first known, ms of the server: older events are not for it. */
  readonly sinceMs: number
  /** Time of the server, ms. */
  readonly nowMs: number
  /** Grows with each message. */
  readonly revision: number
  readonly staged: StagedMessage | undefined
  /** Events came while a message waited, of providers that are not known: all are to be looked at. */
  readonly behind: boolean
}

/** An event, and its place in the stream of its provider. */
export interface StreamEntry {
  readonly entry: string
  readonly event: ProviderEvent
}

/** `busy`: another message waits for its delivery. `outdated`: another process was first. */
export type Staging = 'staged' | 'busy' | 'outdated'

/** State of the alerts' hooks in the store: how far each has come in the streams of events, and its message. */
export interface HookStore {
  /** Of the keys of every queue of a hook; a hash tag. */
  readonly prefix: string
  queueName(hook: string): string
  /** A hook that nobody has known before is known from now on. */
  read(hook: string): Promise<HookState>
  /** The events of a provider after the last one that was put into a message, and after `sinceMs`; oldest first. */
  eventsAfter(hook: string, provider: string, sinceMs: number): Promise<readonly StreamEntry[]>
  /** Keeps a message and moves the cursors past its events; or says why not. */
  stage(
    hook: string,
    revision: number,
    message: StagedMessage,
    cursors: Readonly<Record<string, string>>,
  ): Promise<Staging>
  /** Forgets a message that was delivered or given up. True when events came meanwhile: look for them. */
  settle(hook: string, delivery: string): Promise<boolean>
  /** A look at all providers begins: what came before it is no longer to be looked for. */
  beginSweep(hook: string): Promise<void>
  /** Forgets the cursors of providers that are not among these. */
  keepCursors(hook: string, known: readonly string[], providers: ReadonlySet<string>): Promise<void>
  /** Providers that the hook has a cursor of. */
  cursors(hook: string): Promise<readonly string[]>
}
