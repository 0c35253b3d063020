/** How long the bytes of an answer may wait for a client that takes none, ms; then its connection is cut. Streams see to it themselves. */
const LIMIT_MS = 30_000

const given = new WeakMap<Response, number>()

/** For tests, which cannot wait so long. */
export function setTimeLimit(answer: Response, ms: number): void {
  if (ms !== LIMIT_MS) given.set(answer, ms)
}

export const timeLimitOf = (answer: Response): number => given.get(answer) ?? LIMIT_MS
