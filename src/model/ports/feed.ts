import type { Change } from '../events.js'

/** How changes reach every process. */
export interface Feed {
  /**
   * Calls `listener` for every change in the namespace, in order of arrival, until `close`. Rejects when the first attempt
   * fails. The feed keeps trying after that, and `gap` says when it has succeeded.
   */
  subscribe(listener: FeedListener): Promise<void>
  /**
   * Checks whether the subscription lives. A subscriber calls it after the store was lost, because a dead subscription
   * looks like a quiet one. If it is dead, `lost` and `gap` follow.
   */
  confirm(): Promise<void>
  close(): Promise<void>
}

export interface FeedListener {
  change(change: Change): void
  /** The subscription is lost: messages may be missed from now on. */
  lost(): void
  /** Subscribed again: the listener must read what it missed. */
  gap(): void
}
