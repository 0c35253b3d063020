import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import { MemoryStore } from '../../src/memory/store.js'
import type { Reply } from '../../src/model/ports/store-replies.js'
import type { JournalEntry } from './ordered-clock.js'

/** One operation as its process wrote it down. */
interface Logged {
  /** JSON: `{ name, method, id, request }`. */
  readonly sent: string
  /** JSON: `{ name, reply }`; undefined where nobody was answered, or nobody lived to be. */
  reply?: string
}
export type Log = Map<string, Logged>

/** Takes in what a process wrote, which may have been killed in the middle of a line. */
export async function readLog(file: string, log: Log): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const name = /^\{"name":"([^"]+)"/.exec(line)?.[1]
    if (name === undefined || !line.endsWith('}')) continue
    const logged = log.get(name)
    if (logged === undefined) log.set(name, { sent: line })
    else logged.reply = line
  }
}

interface Sent {
  readonly method: 'register' | 'admit' | 'record' | 'recordHeartbeat' | 'reset' | 'trip' | 'mark' | 'resume'
  readonly id: string
  readonly request: never
}

export interface Figures {
  /** Runs of scripts that write, each put through the rules. */
  operations: number
  /** Replies that were compared: all that came. */
  compared: number
  /** Runs whose reply nobody got. */
  unanswered: number
  /** Batches that arrived again after they had been applied. */
  duplicates: number
  late: number
  transitions: number
}

const MAX_WRONG = 5
const CIRCUIT_KINDS: readonly string[] = ['opened', 'half_opened', 'closed', 'reset']

/** What never falls in the replies of one provider, whoever got them. */
const GROWING = ['applied', 'version', 'generation'] as const
type Place = Readonly<Record<(typeof GROWING)[number], number>>

/**
 * Puts the operations of a journal through the rules, in its order and each at its time, and compares every reply that
 * came with what the rules answer. What the rules end with is in `store`.
 */
export class Replay {
  readonly store: MemoryStore
  readonly figures: Figures = {
    operations: 0,
    compared: 0,
    unanswered: 0,
    duplicates: 0,
    late: 0,
    transitions: 0,
  }
  /** What does not fit, in words; the first few. */
  readonly wrong: string[] = []
  readonly #log: Log
  readonly #last = new Map<string, Place>()
  /** The time of the rules. */
  nowMs = 0

  constructor(log: Log) {
    this.#log = log
    this.store = new MemoryStore({ now: () => this.nowMs })
  }

  async run(journal: readonly JournalEntry[]): Promise<void> {
    for (const { atMs, caller } of journal) {
      if (atMs <= this.nowMs) this.#complain(`time ${atMs} after ${this.nowMs}`)
      this.nowMs = atMs
      if (caller !== '') await this.#perform(caller)
    }
    const ran = new Set(journal.map(({ caller }) => caller))
    for (const [name, { reply }] of this.#log) {
      if (reply !== undefined && !ran.has(name)) this.#complain(`${name} was answered and never ran`)
    }
  }

  async #perform(caller: string): Promise<void> {
    const logged = this.#log.get(caller)
    if (logged === undefined) {
      this.#complain(`${caller} ran, and nobody says to have sent it`)
      return
    }
    // As a process wrote it, with what it gave its own store.
    const { method, id, request } = JSON.parse(logged.sent) as Sent
    const ours: Reply = await this.store[method](id, request)
    this.#count(ours)
    if (logged.reply === undefined) {
      this.figures.unanswered += 1
      return
    }
    const { reply: theirs } = JSON.parse(logged.reply) as { readonly reply: Reply }
    this.figures.compared += 1
    this.#follow(id, theirs)
    if (isDeepStrictEqual(theirs, ours)) return
    this.#complain(`${logged.sent}\n  Redis: ${JSON.stringify(theirs)}\n  rules: ${JSON.stringify(ours)}`)
  }

  #count(reply: Reply): void {
    this.figures.operations += 1
    if (reply.status === 'late') this.figures.late += 1
    if (reply.status !== 'ok') return
    if ('duplicate' in reply && reply.duplicate === true) this.figures.duplicates += 1
    this.figures.transitions += reply.events.filter(({ kind }) => CIRCUIT_KINDS.includes(kind)).length
  }

  /** The replies must agree with the order by themselves too. */
  #follow(id: string, reply: Reply): void {
    if (reply.status !== 'ok') return
    const before = this.#last.get(id) ?? { applied: 0, version: 0, generation: 0 }
    const { version, generation } = reply.snapshot ?? before
    const now = { applied: reply.applied, version, generation }
    this.#last.set(id, now)
    for (const name of GROWING) {
      if (now[name] < before[name]) this.#complain(`${id}: ${name} ${now[name]} after ${before[name]}`)
    }
  }

  #complain(what: string): void {
    if (this.wrong.length < MAX_WRONG) this.wrong.push(what)
  }
}
