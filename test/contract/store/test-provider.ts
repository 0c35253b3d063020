import type { Change, EventKind } from '../../../src/model/events.js'
import type { Store } from '../../../src/model/ports/store.js'
import type {
  AdmitResult,
  KnownReply,
  RecordResult,
  Reply,
  SettingsReply,
} from '../../../src/model/ports/store-replies.js'
import type {
  AdmitRequest,
  ControlRequest,
  RecordRequest,
  RegisterRequest,
  Run,
} from '../../../src/model/ports/store-requests.js'
import type { SettingsInput } from '../../../src/model/settings.js'
import type { StoredSnapshot } from '../../../src/model/snapshot.js'
import type { Mark, Outcome } from '../../../src/model/words.js'
import { resolveSettings } from '../../../src/config/settings.js'

/** A store with its time in the test's hand, and what there is to see of it from outside. */
export interface TestStore {
  readonly store: Store
  readonly nowMs: () => number
  readonly advance: (ms: number) => Promise<void>
  readonly set: (ms: number) => Promise<void>
  /** What was announced so far, in order; it may come a moment later. */
  readonly changes: readonly Change[]
  /** What the store still keeps of a provider, its place in the list of all included. */
  readonly leftovers: (id: string) => Promise<string[]>
}

/** Later than every clock in these tests. */
export const FAR_MS = 9_000_000_000_000

export const control = (over: Partial<ControlRequest> = {}): ControlRequest => ({
  worker: 'worker-1',
  knownVersion: 0,
  actor: 'ops',
  reason: 'a test',
  notAfterMs: FAR_MS,
  ...over,
})

export function known<T>(reply: Reply<T>): KnownReply<T> {
  if (reply.status !== 'ok') throw new Error(`the store answered ${reply.status}`)
  return reply
}

export const kinds = (reply: { readonly events: readonly { readonly kind: EventKind }[] }): EventKind[] =>
  reply.events.map((event) => event.kind)

/** One provider of a store, with everything filled in that a test does not care about. */
export class TestProvider {
  readonly testStore: TestStore
  readonly id: string
  #sequence = 0

  constructor(testStore: TestStore, id = 'openai') {
    this.testStore = testStore
    this.id = id
  }

  get store(): Store {
    return this.testStore.store
  }

  register(
    settings: SettingsInput = {},
    over: Partial<RegisterRequest> = {},
  ): Promise<KnownReply<SettingsReply>> {
    return this.store.register(this.id, {
      worker: 'worker-1',
      knownVersion: 0,
      settings: resolveSettings(settings),
      mode: 'set',
      restore: null,
      ...over,
    })
  }

  async snapshot(): Promise<StoredSnapshot> {
    const { snapshot } = known(await this.store.snapshot(this.id))
    if (snapshot === null) throw new Error('the store sent no snapshot')
    return snapshot
  }

  admission(over: Partial<AdmitRequest> = {}): AdmitRequest {
    const base = { worker: 'worker-1', knownVersion: 0, origin: 'call' as const, token: 'token-1' }
    return { ...base, notAfterMs: FAR_MS, leaseMs: 0, minGapMs: 0, ...over }
  }

  async admit(token = 'token-1', over: Partial<AdmitRequest> = {}): Promise<KnownReply<AdmitResult>> {
    return known(await this.store.admit(this.id, this.admission({ token, ...over })))
  }

  probe(token = 'probe-1', over: Partial<AdmitRequest> = {}): Promise<KnownReply<AdmitResult>> {
    return this.admit(token, { origin: 'probe', ...over })
  }

  batch(runs: readonly Run[], over: Partial<RecordRequest> = {}): RecordRequest {
    this.#sequence += 1
    const base = { worker: 'worker-1', knownVersion: 0, incarnation: 'life-1', sequence: this.#sequence }
    const flush = { flushIntervalMs: 100, maxBatchesPerSecond: 1_000 }
    return {
      ...base,
      ...flush,
      resent: false,
      notAfterMs: FAR_MS,
      lostMsAgo: null,
      jitterDraw: 0,
      runs,
      ...over,
    }
  }

  async send(runs: readonly Run[], over: Partial<RecordRequest> = {}): Promise<KnownReply<RecordResult>> {
    return known(await this.store.record(this.id, this.batch(runs, over)))
  }

  /** `count` outcomes of calls that began just now, or as `over` says. */
  async record(outcome: Outcome, count = 1, over: Partial<Run> = {}): Promise<KnownReply<RecordResult>> {
    const { generation } = await this.snapshot()
    return this.send([run(outcome, { count, generation, ...over })])
  }

  /** How an admitted call ended. */
  settle(
    admission: AdmitResult,
    outcome: Outcome,
    over: Partial<Run> = {},
    token = 'token-1',
  ): Promise<KnownReply<RecordResult>> {
    const { generation, trial } = admission
    return this.send([run(outcome, { generation, token: trial ? token : '', ...over })])
  }

  /** How an admitted probe ended. */
  finish(
    admission: AdmitResult,
    outcome: Outcome,
    over: Partial<Run> = {},
    token = 'probe-1',
  ): Promise<KnownReply<RecordResult>> {
    const { settingsRevision, markVersion } = admission
    return this.settle(admission, outcome, { origin: 'probe', settingsRevision, markVersion, ...over }, token)
  }

  async reset(): Promise<KnownReply<unknown>> {
    return known(await this.store.reset(this.id, control()))
  }

  async trip(forMs: number | null): Promise<KnownReply<unknown>> {
    return known(await this.store.trip(this.id, { ...control(), forMs }))
  }

  async mark(mark: Mark, forMs: number | null = null): Promise<KnownReply<unknown>> {
    return known(await this.store.mark(this.id, { ...control(), mark, forMs }))
  }

  async resume(): Promise<KnownReply<unknown>> {
    return known(await this.store.resume(this.id, control()))
  }

  /** Opens by failures and waits until just before the cooldown's end, or `past` ms later. */
  async openAndWait(past = 0): Promise<void> {
    const { failureThreshold, cooldownMs } = await this.#breaker()
    await this.record('unhealthy', failureThreshold ?? 1)
    await this.testStore.advance(cooldownMs + past)
  }

  async #breaker() {
    const stored = await this.store.settings(this.id)
    if (stored === null) throw new Error('the provider is not registered')
    return stored.settings.breaker
  }
}

export const run = (outcome: Outcome, over: Partial<Run> = {}): Run => ({
  origin: 'call',
  outcome,
  count: 1,
  generation: 0,
  token: '',
  retryAfterMs: 0,
  settingsRevision: 0,
  markVersion: 0,
  detail: '',
  ageMs: 0,
  ...over,
})

/** A registered provider with a quick breaker: 1 failure opens for 1 s, trials hold their slot for 500 ms. */
export const QUICK = { failureThreshold: 1, cooldownMs: 1_000, successThreshold: 1, trialLeaseMs: 500 }

export async function quick(
  testStore: TestStore,
  breaker: SettingsInput['breaker'] = {},
  history: SettingsInput['history'] = {},
): Promise<TestProvider> {
  const testProvider = new TestProvider(testStore)
  await testProvider.register({ breaker: { ...QUICK, ...breaker }, history })
  return testProvider
}
