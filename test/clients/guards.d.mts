export interface Guarded {
  readonly get: (
    url: string,
    signal?: AbortSignal,
  ) => Promise<{ readonly status: number; readonly body: Uint8Array }>
  /** Undefined where the client reads a body to its end before it answers. */
  readonly endless?: (url: string, signal: AbortSignal, onData: (chunk: unknown) => void) => Promise<void>
  /** False: the client follows no redirect. */
  readonly redirects?: false
}

// The packages have types only where test/clients/ was installed.
type Maker = (...made: readonly unknown[]) => Guarded

export const guardsOf: Readonly<
  Record<
    | 'fetch'
    | 'undiciFetch'
    | 'undiciFetchOver'
    | 'undici6FetchOver'
    | 'nodeFetchOver'
    | 'undiciRequest'
    | 'undici6Request'
    | 'axios'
    | 'got',
    Maker
  >
>
export function openaiWith(guarded: unknown, url: string): () => Promise<unknown>
