import type { Clock } from '../../model/ports/time.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import { blocksOf, type Enforced } from '../../rules/blocks.js'
import { ageBlocking, ageSnapshot } from './snapshot.js'

/**
 * What one process knows of one provider, and whether it may decide by it.
 *
 * It trades a bounded staleness for the round trip: in the closed and the open state a decision reads the snapshot
 * here, which messages keep fresh. The snapshot is the newest seen, whatever brought it: the reply of a script, a
 * message, or a full read. An older version is dropped, because replies and messages overtake each other; only a
 * full read after a gap replaces a higher one, for a store that was wiped or failed over may count from less.
 *
 * Modes, and how admission works in each. Only `#setMode` moves between them.
 *
 * - `starting`   no subscription yet: every admission asks the store.
 * - `following`  subscribed, and all read since: decisions are local. A change reaches this process one message
 *                later. A subscription that died without a word is noticed by the poll (see connection-watch.ts).
 * - `resyncing`  messages may have been missed: the last snapshot serves for `RESYNC_GRACE_MS`, while it is read
 *                again; after that every admission asks the store.
 * - `stopped`    closed, or the provider was removed: nothing is known.
 *
 *     starting -> following <-> resyncing, any -> stopped -> following (registered again)
 *
 * Beside its mode it is `suspended` while calls are decided without the store: what is read meanwhile is kept, and decides
 * nothing, for the store may be lost again before all was caught up.
 *
 * Deadlines are kept on this process's own monotonic clock. `free` is the one field that the hot path reads: the
 * circuit is closed, nothing else blocks, and decisions are local. It holds without a look at the clock.
 */
export const CACHE_MODES = ['starting', 'following', 'resyncing', 'stopped'] as const
export type CacheMode = (typeof CACHE_MODES)[number]

/** So long the last snapshot still serves after the subscription is known to be lost, ms. */
export const RESYNC_GRACE_MS = 1_000

export class SnapshotCache {
  readonly #clock: Clock
  #mode: CacheMode = 'starting'
  #resyncingSince = 0
  #held: { readonly snapshot: StoredSnapshot; readonly takenAt: number } | undefined
  /** Counts gaps, so that a read that began before one does not end it. */
  #gap = 0
  /** Whether calls are decided without the store. Only `suspend` sets it. */
  suspended = false
  #closing = false
  #detached = false
  /** The generation in which this process doubts itself; 0: it does not. */
  #doubted = 0
  /** Whether a call may begin without a command to Redis or a look at the clock. */
  free = false
  /** The same, but for a ramp: some calls are refused (see `rules/ramp.ts`). Never together with `free`. */
  ramping = false
  /** The generation of an outcome without a permit; 0 when none is known. */
  generation = 0
  /** Told after each change of what is held, or of the mode; set while somebody waits for one. */
  onChange: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get mode(): CacheMode {
    return this.#mode
  }

  /** Closed, followed, and nothing in the way of all calls. */
  get unblocked(): boolean {
    return this.free || this.ramping
  }

  /** How long the ramp still holds calls back, ms. Once it is over, calls are free again without a newer snapshot. */
  rampLeftMs(): number {
    if (this.#held === undefined || this.#held.snapshot.rampForMs === 0) return 0
    const { snapshot, takenAt } = this.#held
    const leftMs = snapshot.rampForMs - (this.#clock.now() - takenAt)
    if (leftMs > 0) return leftMs
    if (this.ramping) this.#setFree(true)
    return 0
  }

  /** The version that scripts are told, so that they send no snapshot that is known already; 0 when none. */
  get version(): number {
    return this.#held?.snapshot.version ?? 0
  }

  /** The snapshot as it was when it came. */
  get held(): StoredSnapshot | undefined {
    return this.#held?.snapshot
  }

  /** Whether decisions may be made by `read()`. */
  get decides(): boolean {
    if (this.suspended) return false
    if (this.#mode === 'following') return true
    return this.#mode === 'resyncing' && this.#clock.now() - this.#resyncingSince < RESYNC_GRACE_MS
  }

  suspend(suspended: boolean): void {
    this.suspended = suspended
    this.#setFree()
  }

  /** This process doubts itself while the circuit is in this generation; 0: it does not. */
  doubt(generation: number): void {
    this.#doubted = generation
    this.#setFree()
  }

  offer(snapshot: StoredSnapshot): void {
    const held = this.#held?.snapshot
    if (held !== undefined && snapshot.version < held.version) return
    // The same one again, later: its deadlines were counted from when it first came.
    if (held !== undefined && snapshot.version === held.version && snapshot.at <= held.at) return
    if (this.#mode === 'stopped') this.#setMode('starting')
    this.#hold(snapshot)
  }

  /** How many gaps there were; see `resync`. */
  get gap(): number {
    return this.#gap
  }

  /** What is held was read after the subscription, and nothing was missed since. */
  follow(): void {
    if (this.#held !== undefined && !this.#detached) this.#setMode('following')
  }

  /** Whether this process let its handle go, and does not keep it fresh: every admission asks the store. */
  get detached(): boolean {
    return this.#detached
  }

  detach(detached: boolean): void {
    this.#detached = detached
    if (detached) this.lost()
  }

  /** A pause that a provider asked this very process for holds here at once. */
  throttle(forMs: number): void {
    const held = this.read()
    if (held !== undefined && held.throttledForMs < forMs) this.#hold({ ...held, throttledForMs: forMs })
  }

  /** Messages may have been missed. The token is what `resync` must bear to end this gap and no later one. */
  lost(): number {
    this.#gap += 1
    if (this.#mode === 'following') this.#setMode('resyncing')
    return this.#gap
  }

  /** A full read that began after the subscription: it replaces whatever is held. */
  resync(snapshot: StoredSnapshot, gap: number): void {
    if (this.#mode === 'stopped') return
    if (gap !== this.#gap || this.#detached) {
      this.offer(snapshot)
      return
    }
    // What came by message meanwhile is newer, unless the store counts from less than it did.
    const held = this.#held?.snapshot
    if (held === undefined || snapshot.at >= held.at) this.#hold(snapshot)
    this.#setMode('following')
  }

  /** When the store was last seen, by its own clock, ms; what goes untold, such as the result of a probe, is as of then. */
  get readAt(): number | undefined {
    return this.#held?.snapshot.at
  }

  /** The snapshot as it stands now; undefined when none is held. */
  read(): StoredSnapshot | undefined {
    if (this.#held === undefined) return undefined
    return ageSnapshot(this.#held.snapshot, this.#clock.now() - this.#held.takenAt)
  }

  /** The part of it that admission needs. */
  readBlocking(): Enforced | undefined {
    if (this.#held === undefined) return undefined
    return ageBlocking(this.#held.snapshot, this.#clock.now() - this.#held.takenAt)
  }

  /** No call begins without asking any more: this process is closing. What is held is kept. */
  close(): void {
    this.#closing = true
    this.#setFree()
  }

  stop(): void {
    this.#held = undefined
    this.generation = 0
    this.#setMode('stopped')
  }

  #hold(snapshot: StoredSnapshot): void {
    this.#held = { snapshot, takenAt: this.#clock.now() }
    this.generation = snapshot.generation
    this.#setFree()
  }

  #setMode(mode: CacheMode): void {
    if (mode === 'resyncing' && this.#mode !== 'resyncing') this.#resyncingSince = this.#clock.now()
    this.#mode = mode
    this.#setFree()
  }

  /** `rampOver`: the ramp of the snapshot that is held has ended since it came. */
  #setFree(rampOver = false): void {
    const snapshot = this.#held?.snapshot
    const unblocked =
      !this.suspended &&
      !this.#closing &&
      this.#mode === 'following' &&
      snapshot !== undefined &&
      snapshot.state === 'closed' &&
      snapshot.generation !== this.#doubted &&
      blocksOf(snapshot).length === 0
    this.ramping = unblocked && !rampOver && snapshot.rampForMs > 0
    this.free = unblocked && !this.ramping
    this.onChange?.()
  }
}
