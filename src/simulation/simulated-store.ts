import type { RecordResult } from '../model/ports/store-replies.js'
import type { Run } from '../model/ports/store-requests.js'
import type { Settings } from '../model/settings.js'
import { DEFAULTS } from '../config/defaults.js'
import { begin, newProvider, type MemoryProvider } from '../memory/provider.js'
import { record } from '../memory/record.js'
import { admit, type Admission } from '../rules/admission.js'
import { newCircuit, type Circuit, type Step } from '../rules/circuit.js'
import { UNTRIED } from '../rules/domains.js'
import type { EventQueue } from './event-queue.js'
import type { Tally } from './tally.js'

/** What every worker knows of the circuit: as it was last published. Times are ms since the simulation began. */
export interface Known {
  readonly version: number
  readonly generation: number
  readonly state: Circuit['phase']['state']
  readonly retryAtMs: number | null
  readonly throttledUntilMs: number
  readonly rampUntilMs: number
  readonly failingBatches: number
}

/** The worker that a command comes from. */
export interface Sender {
  readonly name: string
  readonly domain: string
  /** Whether it has ever had a success. */
  readonly tried: boolean
  /** Its failures in a row, and how long ago the first of them was, ms. */
  readonly ownFailures: number
  readonly ownSinceMs: number
  /** Batches that it has sent. */
  readonly sequence: number
}

/** The simulated time 0, ms since 1970: generations and buckets count from there. */
const START_MS = 1_700_000_000_000
/** From the script of a change until every process knows, ms: as long as the reply takes, and before it. */
const PUBLISH_MS = 0.5
const FAR_MS = Number.MAX_SAFE_INTEGER

/** The circuit as Redis keeps it: the same functions as in the memory store, without its replies and its events. */
export class SimulatedStore {
  readonly settings: Settings
  readonly #queue: EventQueue
  readonly #tally: Tally
  readonly #random: () => number
  readonly #provider: MemoryProvider
  readonly #listeners = new Set<(known: Known) => void>()
  known: Known

  constructor(settings: Settings, queue: EventQueue, tally: Tally, random: () => number) {
    this.settings = settings
    this.#queue = queue
    this.#tally = tally
    this.#random = random
    const circuit = newCircuit(START_MS)
    this.#provider = newProvider({
      id: 'simulated',
      circuit,
      settings,
      revision: 0,
      setBy: '',
      pinned: false,
    })
    this.known = present(circuit)
  }

  /** Calls `listener` with all that is published from now on. */
  listen(listener: (known: Known) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  record(sender: Sender, runs: readonly Run[]): RecordResult {
    const { flushIntervalMs, maxBatchesPerSecond } = DEFAULTS.connect
    const begun = begin(this.#provider, this.#nowMs)
    const { step, extra } = record(this.#provider, begun.circuit, {
      worker: sender.name,
      knownVersion: 0,
      incarnation: sender.name,
      sequence: sender.sequence,
      resent: false,
      jitterDraw: this.#random(),
      flushIntervalMs,
      maxBatchesPerSecond,
      notAfterMs: FAR_MS,
      lostMsAgo: null,
      failureDomain: sender.domain,
      tried: sender.tried,
      ownFailures: sender.ownFailures,
      ownSinceMs: sender.ownSinceMs,
      runs,
    })
    this.#keep(step, sender.name)
    return extra
  }

  admit({ name, domain, tried }: Sender, token: string): Admission {
    const begun = begin(this.#provider, this.#nowMs)
    const witness = this.settings.breaker.quorum > 1 ? (tried ? domain : UNTRIED) : undefined
    const given = { origin: 'call', token, leaseMs: 0, minGapMs: 0 } as const
    const request = { ...given, incarnation: name, failureDomain: witness }
    const { admission, ...step } = admit(begun.circuit, request, this.settings.breaker, null)
    this.#keep(step, name)
    return admission
  }

  get #nowMs(): number {
    return START_MS + Math.floor(this.#queue.now)
  }

  #keep({ circuit, events }: Step, worker: string): void {
    const { version } = this.#provider.circuit
    this.#provider.circuit = circuit
    const at = Math.round(this.#queue.now)
    for (const { kind, from, to, reason } of events) {
      if (kind === 'worker_suspected') this.#tally.named({ at, kind, reason, worker: to })
      else this.#tally.transition({ at, kind, reason, worker }, from)
    }
    if (circuit.version === version) return
    const known = present(circuit)
    this.#queue.after(PUBLISH_MS, () => {
      this.known = known
      for (const listener of this.#listeners) listener(known)
    })
  }
}

function present({
  version,
  generation,
  phase,
  throttledUntilMs,
  rampUntilMs,
  failingBatches,
}: Circuit): Known {
  const retryAtMs = phase.state === 'open' && phase.retryAtMs !== null ? phase.retryAtMs - START_MS : null
  return {
    version,
    generation,
    state: phase.state,
    retryAtMs,
    throttledUntilMs: throttledUntilMs - START_MS,
    rampUntilMs: rampUntilMs - START_MS,
    failingBatches,
  }
}
