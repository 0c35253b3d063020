/**
 * `busbar/testing`: the whole of Busbar over memory, on a clock that you move. No Redis, no waiting.
 *
 * The same rules decide as in Redis; a property test holds the two to each other.
 */
import { randomUUID } from 'node:crypto'
import { BusbarCore } from './client/busbar-core.js'
import { Busbar } from './client/busbar.js'
import type { ProcessContext } from './client/context.js'
import { CallsUnderWay } from './client/call/calls-under-way.js'
import { guardLogger, newCounters, SILENT, type Logger } from './client/shared/log.js'
import { Observers } from './client/shared/observers.js'
import { OutageLog } from './client/outage/outage-log.js'
import { FailFastStore } from './client/outage/fail-fast-store.js'
import { checkArgument } from './config/check.js'
import { testBusbarSchema, type Consistency, type OnRedisDown } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import { show } from './config/show.js'
import { ArgumentError } from './model/errors.js'
import type { OutcomeObservation } from './model/observations.js'
import type { SettingsInput } from './model/settings.js'
import type { TestClock } from './testing/clock.js'
import { createTestFleet, MemoryFleet, type TestFleet } from './testing/fleet.js'
import { LineWatch, type RedisLine, type TestRedis } from './testing/redis.js'

export { createTestClock, type TestClock } from './testing/clock.js'
export { createTestFleet, type TestFleet, type TestFleetOptions } from './testing/fleet.js'
export type { TestRedis } from './testing/redis.js'
export {
  SCENARIOS,
  simulate,
  type HistorySource,
  type ScenarioName,
  type ScenarioOptions,
  type SimulatedEvent,
  type SimulationResult,
  type SimulationSource,
  type TraceCall,
  type TraceSource,
} from './simulation/index.js'

export interface TestBusbarOptions {
  /** Default: a new one, to be found at `busbar.clock`. Not together with `fleet`, which has one. */
  readonly clock?: TestClock | undefined
  /** The fleet that this worker joins. Default: a new one, to be found at `busbar.fleet`. */
  readonly fleet?: TestFleet | undefined
  readonly defaults?: SettingsInput | undefined
  /** Default: none. */
  readonly logger?: Logger | false | undefined
  /** Default: `test` for the first worker of a fleet, then `test-2`, and so on. */
  readonly workerId?: string | undefined
  /** As for `connect`. */
  readonly onOutcome?: ((outcome: OutcomeObservation) => unknown) | undefined
  /** What fails together with this worker, for a `quorum`. Default: its name. */
  readonly failureDomain?: string | undefined
  readonly consistency?: Consistency | undefined
  /** How calls are decided while `busbar.redis` is down; default `local`. */
  readonly onRedisDown?: OnRedisDown | undefined
}

/** A busbar over memory, with the clock that it lives by. */
export interface TestBusbar extends Busbar {
  readonly clock: TestClock
  readonly fleet: TestFleet
  /** This worker's own way to Redis; `busbar.fleet.redis` is that of all. */
  readonly redis: TestRedis
}

/**
 * Makes a busbar that needs nothing but this process. Two of one fleet see each other, as two workers do that share a
 * Redis; two without a fleet do not.
 * @throws ArgumentError for an option that makes no sense; SettingsError for such a setting in `defaults`.
 */
export function createTestBusbar(options: TestBusbarOptions = {}): TestBusbar {
  const checked = checkArgument(testBusbarSchema, options, 'createTestBusbar')
  const { consistency, onRedisDown, workerId, failureDomain } = checked
  const { clock, defaults = {}, logger, onOutcome } = options
  resolveSettings({}, defaults)
  const fleet = fleetOf(options.fleet, clock)
  const line = fleet.redis.line()
  return new MemoryBusbar(fleet, line, {
    workerId: workerId ?? fleet.nextWorkerId(),
    failureDomain,
    logger: logger === undefined || logger === false ? SILENT : logger,
    defaults,
    onOutcome,
    consistency,
    onRedisDown,
  })
}

function fleetOf(fleet: TestFleet | undefined, clock: TestClock | undefined): MemoryFleet {
  if (fleet !== undefined && clock !== undefined) {
    throw new ArgumentError('clock', 'clock: the fleet has one already; give either fleet or clock')
  }
  const made = fleet ?? createTestFleet({ clock })
  if (made instanceof MemoryFleet) return made
  throw new ArgumentError('fleet', `fleet: expected one of createTestFleet(), got ${show(made)}`)
}

interface Checked {
  readonly workerId: string
  readonly failureDomain: string | undefined
  readonly logger: Logger
  readonly defaults: SettingsInput
  readonly onOutcome: TestBusbarOptions['onOutcome']
  readonly consistency: Consistency
  readonly onRedisDown: OnRedisDown
}

class MemoryBusbar extends Busbar implements TestBusbar {
  readonly clock: TestClock
  readonly fleet: TestFleet
  readonly redis: TestRedis
  readonly #leave: () => void

  constructor(fleet: MemoryFleet, line: RedisLine, checked: Checked) {
    const { defaults, consistency, onRedisDown } = checked
    const context = contextOf(fleet, line, checked)
    const core = new BusbarCore({ context, feed: line.feed(fleet.channel), consistency, onRedisDown })
    super({
      core,
      defaults,
      namespace: 'test',
      startProbes: async (owner, options) =>
        (await import('./testing/probe-worker.js')).startTestProbes(owner, options),
      startAlerts: () =>
        Promise.reject(new ArgumentError('alerts', 'alerts: there is no Redis whose queue could send them')),
      probe: async (owner, { id, registered }) =>
        (await import('./probes/probe-now.js')).probeNow(owner, id, registered),
      workers: () => Promise.resolve(fleet.store.workers()),
      inspect: () => Promise.reject(new ArgumentError('inspect', 'inspect: there is no Redis to look at')),
    })
    this.clock = fleet.clock
    this.fleet = fleet
    this.redis = line
    this.#leave = () => fleet.redis.drop(line)
    // Over memory there is no connection to wait for: the busbar is open at once.
    void core.open()
  }

  /**
   * As `busbar.close()`, but it waits for nothing that needs the clock to move, so that a test which ends with a call under
   * way does not hang. `timeoutMs` makes it wait, on the test clock.
   */
  override close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#leave()
    return super.close({ timeoutMs: 0, ...options })
  }
}

function contextOf(
  fleet: MemoryFleet,
  line: RedisLine,
  { workerId: worker, failureDomain = worker, logger, onOutcome }: Checked,
): ProcessContext {
  const { clock } = fleet
  const time = { clock, wallClock: clock, timers: clock }
  const counters = newCounters()
  const log = new OutageLog(guardLogger(logger, counters), time)
  const observers = new Observers({ worker, domain: failureDomain, log, counters })
  observers.add({ outcome: onOutcome })
  const ping = () => {
    const error = line.error('ping')
    return error === undefined ? Promise.resolve() : Promise.reject(error)
  }
  const watch = new LineWatch({ ping, log, unref: true, time })
  line.attach(watch)
  return {
    ...time,
    store: new FailFastStore(line.store(fleet.store), watch, observers),
    watch,
    worker,
    failureDomain,
    incarnation: randomUUID(),
    log,
    counters,
    observers,
    commandTimeoutMs: 200,
    flushIntervalMs: 100,
    maxBatchesPerSecond: 1_000,
    // On a clock that a test moves, a mark ends exactly at its time.
    markJitterMs: 0,
    unref: true,
    deadlines: clock,
    calls: new CallsUnderWay(),
    // Memory answers before any timer fires, but `advance` may leap over a deadline before the answer is seen.
    commandDeadlines: { set: () => ({ clear: () => undefined }) },
    schedule: undefined,
    closed: false,
  }
}
