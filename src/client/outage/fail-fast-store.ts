import type * as port from '../../model/ports/store.js'
import type { Observers } from '../shared/observers.js'
import type { StoreWatch } from './store-watch.js'

/** A store that is not asked while it is lost; see `StoreWatch`. */
export class FailFastStore implements port.Store {
  readonly #store: port.Store
  readonly #watch: StoreWatch
  readonly #observers: Observers | undefined

  constructor(store: port.Store, watch: StoreWatch, observers?: Observers) {
    this.#store = store
    this.#watch = watch
    this.#observers = observers
  }

  /** `command`: by which metrics tell commands apart. What is not asked, because the store is lost, takes no time. */
  #ask<T>(command: string, doing: string, run: () => Promise<T>): Promise<T> {
    const meters = this.#observers?.meters
    if (meters === undefined) return this.#watch.ask(doing, run)
    return this.#watch.ask(doing, () => {
      const began = performance.now()
      const answer = run()
      const note = () => meters.commands.add(command, performance.now() - began)
      answer.then(note, note)
      return answer
    })
  }

  epoch() {
    return this.#ask('epoch', 'the epoch', () => this.#store.epoch())
  }

  ensureEpoch() {
    return this.#ask('ensureEpoch', 'the epoch', () => this.#store.ensureEpoch())
  }

  register(id: string, request: port.RegisterRequest) {
    return this.#ask('register', `register ${id}`, () => this.#store.register(id, request))
  }

  admit(id: string, request: port.AdmitRequest) {
    return this.#ask('admit', `admit ${id}`, () => this.#store.admit(id, request))
  }

  record(id: string, request: port.RecordRequest) {
    return this.#ask('record', `record ${id}`, () => this.#store.record(id, request))
  }

  recordHeartbeat(id: string, request: port.HeartbeatRequest) {
    return this.#ask('recordHeartbeat', `heartbeat ${id}`, () => this.#store.recordHeartbeat(id, request))
  }

  overdue(id: string, request: port.OverdueRequest) {
    return this.#ask('overdue', `overdue ${id}`, () => this.#store.overdue(id, request))
  }

  reset(id: string, request: port.ControlRequest) {
    return this.#ask('reset', `reset ${id}`, () => this.#store.reset(id, request))
  }

  trip(id: string, request: port.TripRequest) {
    return this.#ask('trip', `trip ${id}`, () => this.#store.trip(id, request))
  }

  mark(id: string, request: port.MarkRequest) {
    return this.#ask('mark', `mark ${id}`, () => this.#store.mark(id, request))
  }

  resume(id: string, request: port.ResumeRequest) {
    return this.#ask('resume', `resume ${id}`, () => this.#store.resume(id, request))
  }

  remove(id: string, request: port.ControlRequest) {
    return this.#ask('remove', `remove ${id}`, () => this.#store.remove(id, request))
  }

  touch(id: string, request: port.TouchRequest) {
    return this.#ask('touch', `touch ${id}`, () => this.#store.touch(id, request))
  }

  view(id: string, request: port.Caller) {
    return this.#ask('view', `view ${id}`, () => this.#store.view(id, request))
  }

  expire(id: string, request: port.Caller) {
    return this.#ask('expire', `expire ${id}`, () => this.#store.expire(id, request))
  }

  idleProviders(count: number) {
    return this.#ask('idleProviders', 'the idle providers', () => this.#store.idleProviders(count))
  }

  snapshot(id: string) {
    return this.#ask('snapshot', `snapshot ${id}`, () => this.#store.snapshot(id))
  }

  settings(id: string) {
    return this.#ask('settings', `settings ${id}`, () => this.#store.settings(id))
  }

  verify(id: string) {
    return this.#ask('verify', `the keys of ${id}`, () => this.#store.verify(id))
  }

  history(id: string, count: number, sinceMs: number) {
    return this.#ask('history', `history ${id}`, () => this.#store.history(id, count, sinceMs))
  }

  events(id: string, count: number) {
    return this.#ask('events', `events ${id}`, () => this.#store.events(id, count))
  }

  outages(id: string, count: number) {
    return this.#ask('outages', `outages ${id}`, () => this.#store.outages(id, count))
  }

  providers() {
    return this.#ask('providers', 'the providers', () => this.#store.providers())
  }

  members(group: string) {
    return this.#ask('members', `the members of group ${group}`, () => this.#store.members(group))
  }

  touchWorker(worker: string, domain?: string) {
    return this.#ask('touchWorker', 'the heartbeat', () => this.#store.touchWorker(worker, domain))
  }

  close() {
    return this.#store.close()
  }
}
