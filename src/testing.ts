/**
 * `busbar/testing`: the whole of Busbar over memory, on a clock that you move. No Redis, no waiting.
 *
 * The same rules decide as in Redis; a property test holds the two to each other.
 */
import { randomUUID } from 'node:crypto'
import { Busbar } from './client/busbar.js'
import { Deadlines } from './client/deadlines.js'
import { guardLogger, newCounters, type Logger } from './client/log.js'
import { OutageLog } from './client/outage-log.js'
import { StoreWatch } from './client/store-watch.js'
import { checkKeys } from './config/keys.js'
import type { Consistency } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import { ArgumentError } from './model/errors.js'
import type { Clock } from './model/ports.js'
import type { SettingsInput } from './model/settings.js'
import { MemoryFeed } from './memory/feed.js'
import { MemoryStore } from './memory/store.js'

/** Time in ms that stands still until it is moved. */
export interface TestClock extends Clock {
  /** Moves time forward. @throws ArgumentError for anything but a number of ms, 0 or more. */
  advance(ms: number): void
}

/** 14 November 2023: a round number, and no real time by accident. */
const START_MS = 1_700_000_000_000

export function createTestClock(startMs = START_MS): TestClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance: (ms) => {
      if (!(Number.isFinite(ms) && ms >= 0)) {
        throw new ArgumentError('ms', `ms: expected a number of milliseconds, 0 or more, got ${String(ms)}`)
      }
      nowMs += Math.round(ms)
    },
  }
}

export interface TestBusbarOptions {
  /** Default: a new one, to be found at `busbar.clock`. */
  readonly clock?: TestClock | undefined
  readonly defaults?: SettingsInput | undefined
  /** Default: none. */
  readonly logger?: Logger | undefined
  readonly workerId?: string | undefined
  readonly consistency?: Consistency | undefined
}

/** A busbar over memory, with the clock that it lives by. */
export interface TestBusbar extends Busbar {
  readonly clock: TestClock
}

/** Makes a busbar that needs nothing but this process. Several do not see each other. */
export function createTestBusbar(options: TestBusbarOptions = {}): TestBusbar {
  checkKeys(options, ['clock', 'defaults', 'logger', 'workerId', 'consistency'], 'createTestBusbar')
  const {
    clock = createTestClock(),
    defaults = {},
    logger,
    workerId = 'test',
    consistency = 'cached',
  } = options
  resolveSettings({}, defaults)
  const counters = newCounters()
  const feed = new MemoryFeed()
  const log = new OutageLog(guardLogger(logger ?? SILENT, counters))
  const busbar = new Busbar({
    host: {
      store: new MemoryStore(clock, (change) => feed.publish(change)),
      worker: workerId,
      incarnation: randomUUID(),
      clock,
      log,
      watch: new StoreWatch({ ping: () => Promise.resolve(), log, unref: true }),
      counters,
      commandTimeoutMs: 200,
      flushIntervalMs: 100,
      maxBatchesPerSecond: 1_000,
      unref: true,
      deadlines: new Deadlines(),
      schedule: undefined,
      closed: false,
    },
    feed,
    namespace: 'test',
    defaults,
    consistency,
    onRedisDown: 'local',
    startProbes: () => Promise.reject(new ArgumentError('startProbes', 'startProbes: probes need Redis')),
    probe: () => Promise.reject(new ArgumentError('probe', 'probe: probes need Redis')),
    inspect: () => Promise.reject(new ArgumentError('inspect', 'inspect: there is no Redis to look at')),
  })
  // Over memory nothing is waited for: it is open when the promise is made.
  void busbar.open()
  return Object.assign(busbar, { clock })
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
