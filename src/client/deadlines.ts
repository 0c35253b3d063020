/**
 * Deadlines of calls, cheap: a wheel of slots and one timer that runs only while a deadline is set, instead of a
 * timer a call. A deadline fires on time or up to `SLOT_MS` late, never early. Setting and clearing are O(1).
 */
const SLOT_MS = 8
const SLOTS = 512
/** Longer than one turn of the wheel: such calls are few and may have a timer of their own. */
const TURN_MS = SLOT_MS * (SLOTS - 2)

/** A loop that is late by less than this, ms, is merely busy. */
const STANDSTILL_MS = 16

export interface Deadline {
  clear(): void
}

class Entry implements Deadline {
  fire: (() => void) | undefined
  slot = 0
  wheel: Deadlines | undefined

  constructor(wheel: Deadlines, fire: () => void) {
    this.wheel = wheel
    this.fire = fire
  }

  clear(): void {
    if (this.fire === undefined) return
    this.fire = undefined
    this.wheel?.cleared()
  }
}

export class Deadlines {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => [])
  #live = 0
  #timer: NodeJS.Timeout | undefined
  /** Slots up to this one have fired. */
  #at = 0
  /** When the wheel turned last, ms, and how long it has not turned when it should have, in all. */
  #turnedAt = 0
  #stoodStillMs = 0

  /** Calls `fire` after `ms`, unless cleared before. */
  set(ms: number, fire: () => void): Deadline {
    if (ms > TURN_MS) {
      const timer = setTimeout(fire, ms)
      return { clear: () => clearTimeout(timer) }
    }
    const now = performance.now()
    if (this.#timer === undefined) this.#start(now)
    const entry = new Entry(this, fire)
    this.#live += 1
    const slot = Math.ceil((now + ms) / SLOT_MS) + 1
    entry.slot = slot
    this.#slots[slot % SLOTS]?.push(entry)
    return entry
  }

  /**
   * The same for an answer from outside, which may lie unread in its socket while the loop of this process stands still.
   * A standstill says nothing about who is to answer: as long as it was, but no longer than `ms`, is waited once more.
   */
  setForAnswer(ms: number, fire: () => void): Deadline {
    let seen = this.#stoodStillMs
    let deadline: Deadline | undefined
    const check = () => {
      const stoodStill = this.#stoodStillMs - seen
      seen = this.#stoodStillMs
      if (stoodStill === 0) fire()
      else deadline = this.set(Math.min(stoodStill, ms), check)
    }
    deadline = this.set(ms, check)
    return { clear: () => deadline?.clear() }
  }

  /** @internal */
  cleared(): void {
    this.#live -= 1
  }

  #start(now: number): void {
    this.#at = Math.floor(now / SLOT_MS)
    this.#turnedAt = now
    this.#timer = setInterval(() => this.#turn(), SLOT_MS)
  }

  #turn(): void {
    const nowMs = performance.now()
    const lateMs = nowMs - this.#turnedAt - SLOT_MS
    if (lateMs > STANDSTILL_MS) this.#stoodStillMs += lateMs
    this.#turnedAt = nowMs
    const now = Math.floor(nowMs / SLOT_MS)
    // A process that slept fires each slot once, however many turns it missed.
    const until = Math.min(now, this.#at + SLOTS)
    for (let slot = this.#at + 1; slot <= until; slot += 1) this.#fire(slot % SLOTS, now)
    this.#at = now
    if (this.#live > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    // Entries that were cleared wait for their slot; with none left alive they can go at once.
    for (const entries of this.#slots) entries.length = 0
  }

  #fire(slot: number, now: number): void {
    const entries = this.#slots[slot]
    if (entries === undefined || entries.length === 0) return
    const later: Entry[] = []
    this.#slots[slot] = later
    for (const entry of entries) {
      const { fire } = entry
      if (fire === undefined) continue
      // After a turn that came late, the slot may hold entries of the next time round.
      if (entry.slot > now) {
        later.push(entry)
        continue
      }
      entry.clear()
      fire()
    }
  }
}
