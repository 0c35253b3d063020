import type { Busbar, HealthStatus, Logger, Provider, SettingsInput } from '../../../src/index.js'
import { isHealthStatus } from '../../../src/model/words.js'

/** A busbar with the store's time in the test's hand. */
export interface BusbarUnderTest {
  readonly busbar: Busbar
  /** Where it says that a decision came from: strict asks the store, cached knows. */
  readonly source: 'redis' | 'cache'
  /** Moves the store's clock. */
  readonly advance: (ms: number) => Promise<void>
  /** Lets at least `ms` pass on the clock by which this process times its calls. */
  readonly spend: (ms: number) => Promise<void>
}

export interface OpenOptions {
  readonly logger?: Logger
  readonly defaults?: SettingsInput
}

export type OpenApi = (options?: OpenOptions) => Promise<BusbarUnderTest>

/** 1 failure opens for 1 s. */
export const QUICK: SettingsInput = { breaker: { failureThreshold: 1, cooldownMs: 1_000 } }

export interface Opened extends BusbarUnderTest {
  readonly provider: Provider
}

export async function withProvider(
  open: OpenApi,
  settings: SettingsInput = QUICK,
  options?: OpenOptions,
): Promise<Opened> {
  const testStore = await open(options)
  return { ...testStore, provider: await testStore.busbar.provider('openai', settings) }
}

/** How the one call of this test ended, as the store was told. */
export async function outcomeOf(
  provider: Provider,
): Promise<HealthStatus | 'client_error' | 'ignored' | 'throttled' | 'none'> {
  const [history, snapshot] = [await provider.history(), await provider.snapshot()]
  const [entry] = history
  if (snapshot.applied > 1) throw new Error(`${snapshot.applied} outcomes instead of one`)
  if (entry !== undefined) {
    if (!isHealthStatus(entry.status)) throw new Error(`outcome ${entry.status}`)
    return entry.status
  }
  if (snapshot.throttledForMs > 0) return 'throttled'
  if (snapshot.clientErrors > 0) return 'client_error'
  return snapshot.applied === 1 ? 'ignored' : 'none'
}

/** How a call ends that runs past its limit, on the clock of this testStore: its timers may stand still until it moves. */
export async function pastLimit<T>(
  { spend }: Pick<BusbarUnderTest, 'spend'>,
  limitMs: number,
  call: Promise<T>,
): Promise<T> {
  // Node takes a rejection for unhandled that comes before its handler.
  call.catch(() => undefined)
  await spend(limitMs)
  return call
}

/** What `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

/** Takes what is logged, so that a test can look at it. */
export function logbook(): { readonly logger: Logger; readonly lines: [string, object, string][] } {
  const lines: [string, object, string][] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}
