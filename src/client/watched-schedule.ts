import type * as port from '../model/ports.js'
import type { StoreWatch } from './store-watch.js'

/** A schedule that is not asked while the store is lost; see `StoreWatch`. */
export class WatchedSchedule implements port.Schedule {
  readonly #schedule: port.Schedule
  readonly #watch: StoreWatch

  constructor(schedule: port.Schedule, watch: StoreWatch) {
    this.#schedule = schedule
    this.#watch = watch
  }

  get prefixes() {
    return this.#schedule.prefixes
  }

  shardOf(id: string) {
    return this.#schedule.shardOf(id)
  }

  plan(id: string, pace: Parameters<port.Schedule['plan']>[1]) {
    return this.#watch.ask(`schedule ${id}`, () => this.#schedule.plan(id, pace))
  }

  drop(id: string) {
    return this.#watch.ask(`unschedule ${id}`, () => this.#schedule.drop(id))
  }

  hasten(id: string, options: Parameters<port.Schedule['hasten']>[1]) {
    return this.#watch.ask(`hasten ${id}`, () => this.#schedule.hasten(id, options))
  }

  claim(shard: number, options: Parameters<port.Schedule['claim']>[1]) {
    return this.#watch.ask('claim probes', () => this.#schedule.claim(shard, options))
  }

  list() {
    return this.#watch.ask('the schedule of probes', () => this.#schedule.list())
  }

  pausedQueues() {
    return this.#watch.ask('the probe queues', () => this.#schedule.pausedQueues())
  }
}
