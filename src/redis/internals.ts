import type { Redis } from 'ioredis'

/** A socket, as far as this folder needs to know it. */
export interface InnerStream {
  readonly bytesRead: number
  readonly destroyed: boolean
  /** Whether this process has closed its side. */
  readonly writableEnded: boolean
  readonly errored: Error | null
  ref?: () => void
  unref?: () => void
  cork?: () => void
  uncork?: () => void
  destroy(): void
  once(event: 'end', listener: () => void): unknown
}

/** A command that was sent and is not answered yet. */
interface InnerCommand {
  readonly name: string
  readonly args: readonly unknown[]
}

interface InnerHost {
  readonly host: string
}

/** Opens the socket, and ends it. */
interface InnerConnector {
  /** With Sentinels: opens a connection to one of them. */
  connectToSentinel?: (endpoint: InnerHost, options?: object) => Redis
  /** With Sentinels: asks one of them where the master is. */
  resolve?: (endpoint: InnerHost) => Promise<InnerHost | null>
  disconnect(): void
}

/** What of ioredis is not public, and has no public substitute. The only list of it. */
interface InnerParts {
  /** The socket; a Cluster has none. */
  readonly stream?: InnerStream
  readonly reconnectTimeout?: { unref?: () => void } | null
  /** The client was told to disconnect, so the next close of its socket is the end. */
  manuallyClosing: boolean
  /** The commands that were sent and are not answered yet, the oldest first. */
  readonly commandQueue: {
    readonly length: number
    peekFront(): { readonly command: InnerCommand } | undefined
  }
  /** The state of this connection; absent before the first one. `select`: the database by the last SELECT. */
  readonly condition?: { readonly select?: unknown }
  readonly connector?: InnerConnector
}

export const innerParts = (client: object) => client as unknown as InnerParts
