import type * as port from '../../model/ports/schedule.js'
import type { StoreWatch } from './store-watch.js'

/** A schedule that is not asked while the store is lost; see `StoreWatch`. */
export class FailFastSchedule implements port.Schedule {
  readonly #schedule: port.Schedule
  readonly #watch: StoreWatch

  constructor(schedule: port.Schedule, watch: StoreWatch) {
    this.#schedule = schedule
    this.#watch = watch
  }

  get prefixes() {
    return this.#schedule.prefixes
  }

  get namesPrefix() {
    return this.#schedule.namesPrefix
  }

  shardOf(id: string) {
    return this.#schedule.shardOf(id)
  }

  queueName(needs: string) {
    return this.#schedule.queueName(needs)
  }

  plan(id: string, plan: port.ProbePlan) {
    return this.#watch.ask(`schedule ${id}`, () => this.#schedule.plan(id, plan))
  }

  drop(id: string) {
    return this.#watch.ask(`unschedule ${id}`, () => this.#schedule.drop(id))
  }

  bringForward(id: string, options: Parameters<port.Schedule['bringForward']>[1]) {
    return this.#watch.ask(`bring_forward ${id}`, () => this.#schedule.bringForward(id, options))
  }

  claim(shard: number, request: port.ClaimRequest) {
    return this.#watch.ask('claim probes', () => this.#schedule.claim(shard, request))
  }

  list() {
    return this.#watch.ask('the schedule of probes', () => this.#schedule.list())
  }

  serve(needs: readonly string[]) {
    return this.#watch.ask('the probe queues', () => this.#schedule.serve(needs))
  }

  queueOf(needs: string) {
    return this.#watch.ask('the probe queues', () => this.#schedule.queueOf(needs))
  }

  queueFor(id: string, needs: string) {
    return this.#watch.ask('the probe queues', () => this.#schedule.queueFor(id, needs))
  }

  queues() {
    return this.#watch.ask('the probe queues', () => this.#schedule.queues())
  }

  pausedQueues() {
    return this.#watch.ask('the probe queues', () => this.#schedule.pausedQueues())
  }
}
