import { Redis } from 'ioredis'

/**
 * The clock double: Lua in place of `lib/now.lua`, which reads the time from a key of the test's own namespace.
 * So tests move time instead of sleeping, and every process that uses the double lives by the same clock.
 */
export const clockKey = (namespace: string): string => `${namespace}:test-clock`

export const clockDouble = (namespace: string): Record<string, string> => ({
  'lib/now': `local function clock_reading_ms()\n  return tonumber(redis.call('GET', '${clockKey(namespace)}'))\nend`,
})

/** Where the scripts come from: the package's, or a folder of mutants under test. */
export const luaSource = (namespace: string) => ({
  dir: process.env['BUSBAR_TEST_LUA_DIR'],
  overrides: clockDouble(namespace),
})

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
