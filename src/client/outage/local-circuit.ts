import type { Run } from '../../model/ports/store-requests.js'
import type { Settings } from '../../model/settings.js'
import { EMPTY_SNAPSHOT, type StoredSnapshot } from '../../model/snapshot.js'
import { admit, type Admission } from '../../rules/admission.js'
import { judge } from '../../rules/breaker.js'
import { newCircuit, type Circuit } from '../../rules/circuit.js'
import { advanceClock } from '../../rules/clock.js'
import { expireMark } from '../../rules/marks.js'
import { presentCircuit } from '../../rules/circuit-view.js'
import { presentWindow } from '../../rules/rate-window.js'
import { restoreCircuit } from '../../rules/restore.js'

/**
 * One provider's circuit in one process, while the store is lost: the same rules, begun with what was known last. What
 * blocked then blocks until the same moment; counters begin at 0.
 *
 * No store counts the trials of the fleet now, so each process is careful for itself: one trial in a cooldown, and none
 * before a random share of a cooldown has passed since trials could begin. The fleet's bound is its number of workers.
 */
export class LocalCircuit {
  readonly #seed: StoredSnapshot | undefined
  readonly #seededAtMs: number
  #circuit: Circuit
  #noTrialBeforeMs = 0

  constructor(seed: StoredSnapshot | undefined, settings: Settings, nowMs: number) {
    this.#seed = seed
    this.#seededAtMs = nowMs
    const now = Math.floor(nowMs)
    // The same generation: what began before the outage and ends in it is news of the same circuit.
    const begun =
      seed === undefined
        ? newCircuit(now)
        : { ...restoreCircuit(seed, now), generation: seed.generation, version: seed.version }
    this.#circuit = this.#delayed(begun, settings)
  }

  /** The generation of a call that begins now. Means nothing to the store. */
  get generation(): number {
    return this.#circuit.generation
  }

  admit(nowMs: number, settings: Settings, token: string, leaseMs: number): Admission {
    const { breaker } = settings
    const { circuit, admission } = admit(
      this.#at(nowMs),
      { origin: 'call', token, leaseMs, minGapMs: 0 },
      { ...breaker, halfOpenMaxTrials: 1, quorum: 1 },
      settings.probe?.intervalMs ?? null,
    )
    const now = circuit.lastNowMs
    if (admission.trial && now < this.#noTrialBeforeMs) {
      const retryAfterMs = this.#noTrialBeforeMs - now
      const reason = 'half-open: one trial in a cooldown while Redis is away'
      return {
        ...admission,
        admitted: !breaker.enforce,
        code: 'no_trial_free',
        reason,
        retryAfterMs,
        trial: false,
      }
    }
    if (admission.trial) this.#noTrialBeforeMs = now + cooldownOf(circuit, settings)
    this.#circuit = circuit
    return admission
  }

  record(run: Run, nowMs: number, settings: Settings): void {
    const before = this.#at(nowMs)
    const { breaker, history } = settings
    const { settingsRevision } = run
    // No ramp without the store: trials are so rare here that the load grows by itself.
    const fence = {
      settingsRevision,
      breaker: { ...breaker, recoveryRampMs: 0 },
      probe: null,
      windowMs: history.windowMs,
    }
    const { circuit, events } = judge(before, run, fence, {
      jitterDraw: Math.random(),
      reporter: null,
    })
    this.#circuit = events.some((event) => event.kind === 'opened')
      ? this.#delayed(circuit, settings)
      : circuit
  }

  /** What was known last, with the circuit as it is here. */
  snapshot(id: string, nowMs: number, settings: Settings): StoredSnapshot {
    const circuit = this.#at(nowMs)
    const { lastNowMs: now } = circuit
    const began = this.#seed?.at ?? 0
    const storeMs = (ms: number) => Math.floor(began + ms - this.#seededAtMs)
    const { openedAt, outageSince, stateSince, ...present } = presentCircuit(circuit, now)
    const seeded = outageSince !== null && outageSince <= Math.floor(this.#seededAtMs)
    return {
      ...(this.#seed ?? EMPTY_SNAPSHOT),
      ...present,
      ...presentWindow(circuit.rateWindow, circuit, now, settings.breaker),
      id,
      enforce: settings.breaker.enforce,
      rampForMs: 0,
      stateSince: storeMs(stateSince),
      openedAt: openedAt === null ? null : storeMs(openedAt),
      outageSince: seeded ? (this.#seed?.outageSince ?? null) : outageSince && storeMs(outageSince),
      at: storeMs(now),
    }
  }

  #at(nowMs: number): Circuit {
    return expireMark({ ...this.#circuit, ...advanceClock(this.#circuit, Math.floor(nowMs)) }).circuit
  }

  /** Trials begin a random share of the cooldown later than the rules say. */
  #delayed(circuit: Circuit, settings: Settings): Circuit {
    const { phase } = circuit
    if (phase.state !== 'open' || phase.retryAtMs === null) return circuit
    const delayMs = Math.floor(Math.random() * cooldownOf(circuit, settings))
    return { ...circuit, phase: { ...phase, retryAtMs: phase.retryAtMs + delayMs } }
  }
}

const cooldownOf = (circuit: Circuit, { breaker }: Settings): number =>
  circuit.cooldownMs === 0 ? breaker.cooldownMs : circuit.cooldownMs
