import { expect } from 'vitest'

/** For what comes a moment later, as a message does: looks until it holds, for ten seconds at most. */
export const soon = (look: () => unknown): ReturnType<typeof expect.poll> =>
  expect.poll(look, { timeout: 10_000 })
