import { Redis } from 'ioredis'

/**
 * The clock double: Lua in place of `lib/now.lua`, which reads the time from a key of the test's own namespace.
 * So tests move time instead of sleeping, and every process that uses the double lives by the same clock.
 */
export const clockKey = (namespace: string): string => `${namespace}:test-clock`

/** The namespace is found in the keys: so the scripts are the same for all tests, and Redis compiles them once. */
export const CLOCK_DOUBLE = {
  'lib/now': `local function clock_reading_ms()
  return tonumber(redis.call('GET', string.match(KEYS[1], '^{?([^:{}]+)') .. ':test-clock'))
end`,
}

/** Where the scripts come from: the package's, or a folder of mutants under test. */
export const LUA_SOURCE = { dir: process.env['BUSBAR_TEST_LUA_DIR'], overrides: CLOCK_DOUBLE }

export interface MovableClock {
  /** ms, as the scripts read it. */
  readonly nowMs: number
  set(ms: number): Promise<void>
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

/** 14 November 2023. */
export const START_MS = 1_700_000_000_000

export async function movableClock(url: string, namespace: string): Promise<MovableClock> {
  const redis = new Redis(url)
  let nowMs = START_MS
  const set = async (ms: number) => {
    nowMs = ms
    await redis.set(clockKey(namespace), ms)
  }
  await set(nowMs)
  return {
    get nowMs() {
      return nowMs
    },
    set,
    advance: (ms) => set(nowMs + ms),
    close: async () => {
      await redis.quit()
    },
  }
}
