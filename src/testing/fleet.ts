import { checkKeys } from '../config/keys.js'
import { show } from '../config/show.js'
import { MemoryChannel } from '../memory/feed.js'
import { MemoryStore } from '../memory/store.js'
import { ArgumentError } from '../model/errors.js'
import { createTestClock, ManualTime, type TestClock } from './clock.js'
import { RedisLine, type TestRedis } from './redis.js'

export interface TestFleetOptions {
  /** Default: a new one. */
  readonly clock?: TestClock | undefined
}

/** A fleet in memory: its workers share providers, time, and the Redis that they seem to have. */
export interface TestFleet {
  readonly clock: TestClock
  /** The Redis of all its workers, also of those that join later. `busbar.redis` is the way of one worker. */
  readonly redis: TestRedis
}

/** A fleet without workers yet: `createTestBusbar({ fleet })` makes them. @throws ArgumentError */
export function createTestFleet(options: TestFleetOptions = {}): TestFleet {
  checkKeys(options, ['clock'], 'createTestFleet')
  const { clock = createTestClock() } = options
  if (!(clock instanceof ManualTime)) {
    throw new ArgumentError('clock', `clock: expected one of createTestClock(), got ${show(clock)}`)
  }
  return new MemoryFleet(clock)
}

export class MemoryFleet implements TestFleet {
  readonly clock: ManualTime
  readonly channel = new MemoryChannel()
  readonly store: MemoryStore
  readonly redis: FleetRedis = new FleetRedis()
  #workers = 0

  constructor(clock: ManualTime) {
    this.clock = clock
    this.store = new MemoryStore(clock, (change) => this.channel.publish(change))
  }

  /** `test`, `test-2`, ... in the order in which they come. */
  nextWorkerId(): string {
    this.#workers += 1
    return this.#workers === 1 ? 'test' : `test-${this.#workers}`
  }
}

/** The lines of all workers at once. */
class FleetRedis implements TestRedis {
  readonly #lines = new Set<RedisLine>()
  #now: ((line: RedisLine) => void) | undefined

  /** A worker's line; in the state that the others were last put in. */
  line(): RedisLine {
    const line = new RedisLine()
    this.#lines.add(line)
    this.#now?.(line)
    return line
  }

  /** A worker is gone. */
  drop(line: RedisLine): void {
    this.#lines.delete(line)
  }

  down(reason?: string): void {
    this.#put((line) => line.down(reason))
  }

  refuseWrites(reason?: string): void {
    this.#put((line) => line.refuseWrites(reason))
  }

  async up(): Promise<void> {
    this.#now = undefined
    await Promise.all([...this.#lines].map((line) => line.up()))
  }

  #put(change: (line: RedisLine) => void): void {
    for (const line of this.#lines) change(line)
    this.#now = change
  }
}
