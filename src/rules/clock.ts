/** The part of a provider's state that keeps time from going backwards. */
export interface ClockState {
  readonly lastNowMs: number
  readonly clockOffsetMs: number
}

/**
 * Makes a reading of the store's clock one that only goes forward. The store's clock may step back (NTP, failover), and
 * deadlines would then move away. A reading below the last one raises the offset by the difference, for good.
 */
export function advanceClock(clock: ClockState, readingMs: number): ClockState {
  const now = readingMs + clock.clockOffsetMs
  if (now >= clock.lastNowMs) return { lastNowMs: now, clockOffsetMs: clock.clockOffsetMs }
  return { lastNowMs: clock.lastNowMs, clockOffsetMs: clock.clockOffsetMs + clock.lastNowMs - now }
}

/** The present for a reader, which stores nothing: never before the last write. */
export const peekClock = (clock: ClockState, readingMs: number): number =>
  Math.max(readingMs + clock.clockOffsetMs, clock.lastNowMs)
