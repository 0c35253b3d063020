import { mayFollow } from './api.js'
import type { Message } from './fleet-state.js'
import type { Link } from './standing.js'

const EVENTS = ['reset', 'snapshot', 'synced', 'removed', 'event', 'store', 'read'] as const
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 15_000

export interface StreamUsers {
  readonly onMessage: (message: Message) => void
  readonly onLink: (link: Link) => void
}

/**
 * Follows `api/stream`. A browser comes back by itself after a lost connection, and is sent what it missed; after a refusal
 * it does not, and does not say why it was refused. Then this asks why, and tries again with growing waits, unless the
 * viewer is not let in: that only signing in again can change.
 */
export class Stream {
  readonly #users: StreamUsers
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #waitMs = FIRST_WAIT_MS

  constructor(users: StreamUsers) {
    this.#users = users
  }

  open(): void {
    this.close()
    const source = new EventSource('api/stream')
    this.#source = source
    for (const event of EVENTS)
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        // The server is of the same version as the page.
        this.#users.onMessage({ event, data: JSON.parse(data) as unknown } as Message)
      })
    source.addEventListener('open', () => {
      this.#waitMs = FIRST_WAIT_MS
      this.#users.onLink('live')
    })
    source.addEventListener('error', () => {
      this.#users.onLink('lost')
      if (source.readyState === EventSource.CLOSED) void this.#refused()
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
  }

  async #refused(): Promise<void> {
    const refusal = await mayFollow()
    if (refusal?.status === 401 || refusal?.status === 403) {
      this.#users.onLink(refusal.status === 401 ? 'unauthorized' : 'forbidden')
      return
    }
    this.#timer = setTimeout(() => this.open(), this.#waitMs)
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS)
  }
}
