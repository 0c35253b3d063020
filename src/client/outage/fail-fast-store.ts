import type * as port from '../../model/ports/store.js'
import type { StoreWatch } from './store-watch.js'

/** A store that is not asked while it is lost; see `StoreWatch`. */
export class FailFastStore implements port.Store {
  readonly #store: port.Store
  readonly #watch: StoreWatch

  constructor(store: port.Store, watch: StoreWatch) {
    this.#store = store
    this.#watch = watch
  }

  epoch() {
    return this.#watch.ask('the epoch', () => this.#store.epoch())
  }

  ensureEpoch() {
    return this.#watch.ask('the epoch', () => this.#store.ensureEpoch())
  }

  register(id: string, request: port.RegisterRequest) {
    return this.#watch.ask(`register ${id}`, () => this.#store.register(id, request))
  }

  admit(id: string, request: port.AdmitRequest) {
    return this.#watch.ask(`admit ${id}`, () => this.#store.admit(id, request))
  }

  record(id: string, request: port.RecordRequest) {
    return this.#watch.ask(`record ${id}`, () => this.#store.record(id, request))
  }

  recordHeartbeat(id: string, request: port.HeartbeatRequest) {
    return this.#watch.ask(`heartbeat ${id}`, () => this.#store.recordHeartbeat(id, request))
  }

  overdue(id: string, request: port.OverdueRequest) {
    return this.#watch.ask(`overdue ${id}`, () => this.#store.overdue(id, request))
  }

  reset(id: string, request: port.ControlRequest) {
    return this.#watch.ask(`reset ${id}`, () => this.#store.reset(id, request))
  }

  trip(id: string, request: port.TripRequest) {
    return this.#watch.ask(`trip ${id}`, () => this.#store.trip(id, request))
  }

  mark(id: string, request: port.MarkRequest) {
    return this.#watch.ask(`mark ${id}`, () => this.#store.mark(id, request))
  }

  resume(id: string, request: port.ResumeRequest) {
    return this.#watch.ask(`resume ${id}`, () => this.#store.resume(id, request))
  }

  remove(id: string, request: port.ControlRequest) {
    return this.#watch.ask(`remove ${id}`, () => this.#store.remove(id, request))
  }

  touch(id: string, request: port.TouchRequest) {
    return this.#watch.ask(`touch ${id}`, () => this.#store.touch(id, request))
  }

  expire(id: string, request: port.Caller) {
    return this.#watch.ask(`expire ${id}`, () => this.#store.expire(id, request))
  }

  idleProviders(count: number) {
    return this.#watch.ask('the idle providers', () => this.#store.idleProviders(count))
  }

  snapshot(id: string) {
    return this.#watch.ask(`snapshot ${id}`, () => this.#store.snapshot(id))
  }

  settings(id: string) {
    return this.#watch.ask(`settings ${id}`, () => this.#store.settings(id))
  }

  verify(id: string) {
    return this.#watch.ask(`the keys of ${id}`, () => this.#store.verify(id))
  }

  history(id: string, count: number, sinceMs: number) {
    return this.#watch.ask(`history ${id}`, () => this.#store.history(id, count, sinceMs))
  }

  events(id: string, count: number) {
    return this.#watch.ask(`events ${id}`, () => this.#store.events(id, count))
  }

  outages(id: string, count: number) {
    return this.#watch.ask(`outages ${id}`, () => this.#store.outages(id, count))
  }

  providers() {
    return this.#watch.ask('the providers', () => this.#store.providers())
  }

  members(group: string) {
    return this.#watch.ask(`the members of group ${group}`, () => this.#store.members(group))
  }

  touchWorker(worker: string, domain?: string) {
    return this.#watch.ask('the heartbeat', () => this.#store.touchWorker(worker, domain))
  }

  close() {
    return this.#store.close()
  }
}
