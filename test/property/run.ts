import { resolveSettings } from '../../src/config/settings.js'
import { MemoryStore } from '../../src/memory/store.js'
import { CommandLateError } from '../../src/model/errors.js'
import type { Store } from '../../src/model/ports/store.js'
import type { AdmitResult, KnownReply, Reply, ViewResult } from '../../src/model/ports/store-replies.js'
import type { Run } from '../../src/model/ports/store-requests.js'
import type { HistoryEntry, StoredSnapshot } from '../../src/model/snapshot.js'
import type { Origin, Outcome } from '../../src/model/words.js'
import { START_MS } from '../harness/clock.js'
import type { Border, Said, Sequence, Step } from './steps.js'
import type { Tally } from './tally.js'

/** One operation with everything decided, to be done to any store, and the time at which to do it. */
export interface Operation {
  readonly atMs: number
  readonly what: string
  readonly call: (store: Store) => Promise<Reply>
  /** Whether to look at the provider afterwards: the reply says little to those who know the version. */
  readonly look: boolean
}

export interface Witness {
  readonly reply: Reply
  readonly seen: Reply | null
  readonly history: readonly HistoryEntry[]
}

interface Pending {
  readonly run: Run
}

interface BatchOptions {
  readonly incarnation?: string
  readonly sequence?: number
  readonly resent?: boolean
  readonly late?: boolean
  readonly lostMsAgo?: number
  readonly process?: Process | undefined
  readonly own?: { readonly failures: number; readonly sinceMs: number }
}

/** A process of the fleet, and whether it has ever had a success. */
interface Process {
  readonly incarnation: string
  readonly domain: string
  readonly tried: boolean
}

const FIRST: Process = { incarnation: 'life', domain: 'node-1', tried: true }
const PROCESSES: readonly Process[] = [
  FIRST,
  { incarnation: 'life-b', domain: 'node-2', tried: true },
  { incarnation: 'life-c', domain: 'node-2', tried: true },
  { incarnation: 'life-d', domain: 'node-3', tried: true },
  { incarnation: 'life-e', domain: 'node-4', tried: false },
  { incarnation: 'life-f', domain: 'node-1', tried: true },
]

const FAR = 9_000_000_000_000
const EVERYTHING = 1_000_000

/**
 * Runs a sequence on the memory store and writes down each operation and what it answered. Which permit a step
 * settles, and what a border is, follows from the state at that moment; afterwards nothing is left to decide.
 */
export class Recorder {
  readonly operations: Operation[] = []
  readonly witnesses: Witness[] = []
  readonly #id: string
  readonly #sequence: Sequence
  readonly #tally: Tally
  readonly #pending: Pending[] = []
  readonly #tokens: string[] = []
  #nowMs = START_MS
  #batch = 0
  #generation = 0
  #threshold: number | null = null
  #rateWindowMs: number
  readonly store = new MemoryStore({ now: () => this.#nowMs })

  constructor(id: string, sequence: Sequence, tally: Tally) {
    this.#id = id
    this.#sequence = sequence
    this.#rateWindowMs = sequence.breaker.rateWindowMs
    this.#tally = tally
  }

  async run(): Promise<void> {
    const { breaker } = this.#sequence
    await this.#register(breaker.failureThreshold, breaker.successThreshold, null)
    for (const step of this.#sequence.steps) await this.#step(step)
  }

  async #do(what: string, call: (store: Store) => Promise<Reply>): Promise<Reply> {
    const before = await this.#snapshot()
    const reply = await call(this.store)
    const look = isKnown(reply) && reply.snapshot === null
    const seen = look ? await this.store.snapshot(this.#id) : null
    const history = await this.store.history(this.#id, EVERYTHING, 0)
    this.operations.push({ atMs: this.#nowMs, what, call, look })
    this.witnesses.push({ reply, seen, history })
    this.#tally.transitions(before, reply)
    if ('reason' in reply && String(reply.reason).includes('another failure domain'))
      this.#tally.count('kept for other domains')
    const { failureThreshold } = this.#sequence.breaker
    const opened = reply.status === 'ok' ? reply.events.find(({ kind }) => kind === 'opened') : undefined
    const inARow = Number(/^(\d+) consecutive failures/.exec(opened?.reason ?? '')?.[1] ?? 0)
    const known = this.#threshold ?? failureThreshold ?? Infinity
    if (inARow > known && (before?.consecutiveFailures ?? 0) >= known)
      this.#tally.count('opened by a late witness')
    return reply
  }

  async #snapshot(): Promise<StoredSnapshot | null> {
    const reply = await this.store.snapshot(this.#id)
    return reply.status === 'ok' ? reply.snapshot : null
  }

  async #known(): Promise<StoredSnapshot> {
    const snapshot = await this.#snapshot()
    if (snapshot === null) throw new Error('the provider is not registered')
    return snapshot
  }

  async #step(step: Step): Promise<void> {
    const id = this.#id
    switch (step.do) {
      case 'record':
        return this.#record(
          [
            {
              ...this.#run('call', step.outcome, await this.#generationFor(step.older), '', step.count),
              detail: step.detail,
            },
          ],
          { late: step.late },
        )
      case 'report': {
        const { outcome, count, own, waitMs } = step
        const process = PROCESSES[step.who % PROCESSES.length]
        const bad = outcome === 'unhealthy' || outcome === 'timeout'
        const run = this.#run('call', outcome, await this.#generationFor(false), '', count)
        // A success of a call that began before the doubt ends no run.
        const said = bad || waitMs === 100 ? own : { failures: 0, sinceMs: 0 }
        await this.#record([run], { process, own: said })
        this.#nowMs += waitMs
        return
      }
      case 'outbreak': {
        for (const who of step.whose) {
          const process = PROCESSES[who]
          const run = this.#run('call', 'unhealthy', await this.#generationFor(false), '')
          await this.#record([run], { process, own: { failures: 5, sinceMs: step.sinceMs } })
        }
        return
      }
      case 'burst': {
        const generation = await this.#generationFor(false)
        await this.#record([this.#run('call', 'healthy', generation, '', step.good)])
        this.#nowMs += step.waitMs
        return this.#record([this.#run('call', step.bad, generation, '', step.count)])
      }
      case 'batch': {
        const generation = await this.#generationFor(false)
        return this.#record(step.outcomes.map((outcome) => this.#run('call', outcome, generation, '')))
      }
      case 'return':
        return this.#return(step)
      case 'resend': {
        const run = this.#run('call', 'unhealthy', await this.#generationFor(false), '')
        const incarnation = step.forgotten ? `life-${this.operations.length}` : 'life'
        return this.#record([run], { incarnation, sequence: step.forgotten ? 1 : this.#batch, resent: true })
      }
      case 'admit': {
        await this.#admit('call', step)
        return
      }
      case 'probe': {
        await this.#admit('probe', { ...step, late: false, again: false })
        return
      }
      case 'retrial':
        return this.#retrial(step)
      case 'settle':
        return this.#settle('call', step.pick, step.outcome, '')
      case 'probed':
        return this.#settle('probe', step.pick, step.outcome, step.detail)
      case 'heartbeat': {
        const { progress } = step
        await this.#do('heartbeat', (store) =>
          store.recordHeartbeat(id, { worker: 'w', knownVersion: 0, progress, notAfterMs: FAR }),
        )
        return
      }
      case 'overdue': {
        const request = { worker: 'w', knownVersion: 0, overdueMs: step.overdueMs, intervalMs: 100 }
        await this.#do('overdue', (store) => store.overdue(id, request))
        return
      }
      case 'reset':
      case 'resume': {
        const control = this.#control(step.said)
        await this.#do(step.do, (store) => store[step.do](id, control))
        return
      }
      case 'markEnd': {
        const control = { ...this.#control({ reason: '', actor: '', late: false }), endedOnly: true }
        await this.#do('resume', (store) => store.resume(id, control))
        return
      }
      case 'look':
        await this.#do('snapshot', (store) => store.snapshot(id))
        return
      case 'view': {
        const request = { worker: 'w', knownVersion: 0 }
        const { viewedForMs } = await this.#known()
        const reply = (await this.#do('view', (store) => store.view(id, request))) as Reply<ViewResult>
        if (viewedForMs > 20_000) this.#tally.count('viewed again')
        if (reply.status === 'ok' && reply.tallies.length > 1) this.#tally.count('workers seen')
        return
      }
      case 'trip': {
        const control = this.#control(step.said)
        this.#tally.count('trip')
        await this.#do('trip', (store) => store.trip(id, { ...control, forMs: step.forMs }))
        return
      }
      case 'mark': {
        const { said, mark, forMs } = step
        const control = this.#control(said)
        if (said.reason === '') this.#tally.count('mark without a reason')
        await this.#do('mark', (store) => store.mark(id, { ...control, mark, forMs }))
        return
      }
      case 'settings':
        this.#rateWindowMs = (step.wide ? 2 : 1) * this.#sequence.breaker.rateWindowMs
        return this.#register(step.failureThreshold, step.successThreshold, step.said)
      case 'release':
        return this.#register(1, 1, step.said, 'release')
      case 'wait':
        this.#nowMs += step.ms
        this.#tally.steps += 1
        return
      case 'waitFor':
        return this.#waitFor(step.what, step.off)
      case 'clockBack':
        this.#tally.count('clock back')
        this.#tally.steps += 1
        this.#nowMs -= step.ms
        return
      default:
        step satisfies never
    }
  }

  /** `said`: by hand; null: by code. */
  async #register(
    wanted: number | null,
    successThreshold: number,
    said: Said | null,
    mode: 'set' | 'release' = 'set',
  ): Promise<void> {
    const { breaker, history, probe } = this.#sequence
    const rated = breaker.failureRate !== undefined || breaker.degradedRate !== undefined
    const failureThreshold = wanted === null && !rated ? 3 : wanted
    this.#threshold = failureThreshold
    const settings = resolveSettings({
      breaker: { ...breaker, failureThreshold, successThreshold, rateWindowMs: this.#rateWindowMs },
      history,
      probe,
    })
    const byHand =
      said === null
        ? undefined
        : { operator: said.actor || 'w', reason: said.reason, notAfterMs: this.#notAfterMs(said) }
    const request = { worker: 'w', knownVersion: 0, settings, mode, restore: null, byHand }
    if (said !== null) this.#tally.count(said.late ? 'late by hand' : 'by hand')
    await this.#do('register', (store) => store.register(this.#id, request).catch(asLate))
  }

  #control(said: Said) {
    const { reason, actor } = said
    if (said.late) this.#tally.count('late by hand')
    return { worker: 'w', knownVersion: 0, actor, reason, notAfterMs: this.#notAfterMs(said) }
  }

  /** Provider time is never behind this, so that what is late is so for both. */
  #notAfterMs(said: Said): number {
    return said.late ? START_MS - 10_000_000 : FAR
  }

  /** The generation that a process knows: the current one, or one from before. */
  async #generationFor(older: boolean): Promise<number> {
    const { generation } = await this.#known()
    if (older) return this.#generation === generation ? generation - 1 : this.#generation
    this.#generation = generation
    return generation
  }

  /** Whoever knows the newest version is answered without a snapshot, in Redis by a way of its own. */
  #upToDate(version: number): number {
    return this.operations.length % 3 === 0 ? 0 : version
  }

  /** Long and short ones by turns, so that some would shorten the one in force. */
  #pause(): number {
    return 50 + (this.operations.length % 4) * 100
  }

  #run(origin: Origin, outcome: Outcome, generation: number, token: string, count = 1): Run {
    const retryAfterMs = outcome === 'throttled' ? this.#pause() : 0
    return {
      origin,
      outcome,
      count,
      generation,
      token,
      retryAfterMs,
      settingsRevision: 0,
      markVersion: 0,
      detail: '',
      ageMs: 0,
    }
  }

  async #return(step: Step & { readonly do: 'return' }): Promise<void> {
    const generation = step.duplicate ? await this.#generationFor(false) : 0
    const { consecutiveFailures, probeConsecutiveFailures } = await this.#known()
    this.#nowMs += step.outageMs
    const runs = step.outcomes.map((outcome, i) => ({
      ...this.#run('call', outcome, i % 2 === 0 ? 0 : generation, ''),
      ageMs: step.agesMs[i] ?? 0,
    }))
    const again = step.duplicate ? { sequence: this.#batch, resent: true } : {}
    await this.#record(runs, { ...again, lostMsAgo: step.outageMs + step.off })
    const after = await this.#known()
    const counted = consecutiveFailures + probeConsecutiveFailures
    if (counted > 0 && after.consecutiveFailures + after.probeConsecutiveFailures === 0) {
      this.#tally.count('failures forgotten')
    }
  }

  async #record(runs: readonly Run[], options: BatchOptions = {}): Promise<void> {
    if (options.sequence === undefined) this.#batch += 1
    const { process = FIRST, own = { failures: 0, sinceMs: 0 } } = options
    const {
      incarnation = process.incarnation,
      sequence = this.#batch,
      resent = false,
      lostMsAgo = null,
    } = options
    if (options.late === true) this.#tally.count('late batch')
    const jitterDraw = this.#sequence.draw
    const { state, version, viewedForMs } = await this.#known()
    // By turns a caller that has not heard of the viewer, or of its leaving.
    const viewed = this.operations.length % 5 === 0 ? viewedForMs === 0 : viewedForMs > 0
    for (const run of runs) this.#tally.outcome(state, run.outcome, run.count)
    // By turns under pressure and not; and every third time of a caller that missed something.
    const flush = { flushIntervalMs: 100, maxBatchesPerSecond: this.operations.length % 4 === 0 ? 1 : 1_000 }
    const request = {
      worker: process === FIRST ? 'w' : process.incarnation,
      viewed,
      knownVersion: this.#upToDate(version),
      incarnation,
      sequence,
      resent,
      jitterDraw,
      notAfterMs: options.late === true ? this.#nowMs - 1 : FAR,
      lostMsAgo,
      ...flush,
      failureDomain: process.domain,
      tried: process.tried,
      ownFailures: own.failures,
      ownSinceMs: own.sinceMs,
      runs,
    }
    await this.#do('record', (store) => store.record(this.#id, request))
  }

  async #admit(
    origin: Origin,
    step: { leaseMs: number; late: boolean; again: boolean; minGapMs?: number },
    who = this.operations.length,
  ): Promise<Run | undefined> {
    const token = step.again ? (this.#tokens.at(-1) ?? 'first') : `token-${this.operations.length}`
    this.#tokens.push(token)
    const { leaseMs, minGapMs = 0 } = step
    const notAfterMs = step.late ? START_MS - 10_000_000 : FAR
    const knownVersion = this.#upToDate((await this.#known()).version)
    const { incarnation, domain: failureDomain } = PROCESSES[who % PROCESSES.length] ?? FIRST
    const by = { incarnation, failureDomain }
    const request = { worker: 'w', knownVersion, origin, token, notAfterMs, leaseMs, minGapMs, ...by }
    const reply = (await this.#do('admit', (store) => store.admit(this.#id, request))) as Reply<AdmitResult>
    if (reply.status !== 'ok' || !reply.admitted) return undefined
    const { generation, trial, settingsRevision, markVersion } = reply
    const run = {
      ...this.#run(origin, 'healthy', generation, trial ? token : ''),
      settingsRevision,
      markVersion,
    }
    this.#pending.push({ run })
    return run
  }

  /** A domain whose trial failed is to leave the next one to others, for a tenth of the cooldown. */
  async #retrial({ who, next, tenths }: Step & { readonly do: 'retrial' }): Promise<void> {
    const asked = { leaseMs: 0, late: false, again: false }
    await this.#waitFor('retry', 0)
    const run = await this.#admit('call', asked, who)
    if (run !== undefined && run.token !== '') {
      this.#pending.pop()
      await this.#record([{ ...run, outcome: 'unhealthy' }], { process: PROCESSES[who % PROCESSES.length] })
      await this.#waitFor('retry', 0)
      this.#nowMs += Math.floor((tenths * this.#sequence.breaker.cooldownMs) / 10)
    }
    await this.#admit('call', asked, next)
  }

  async #settle(origin: Origin, pick: number, outcome: Outcome, detail: string): Promise<void> {
    const mine = this.#pending.filter((pending) => pending.run.origin === origin)
    const chosen = mine[pick % Math.max(1, mine.length)]
    if (chosen === undefined) return
    this.#pending.splice(this.#pending.indexOf(chosen), 1)
    const { generation } = await this.#known()
    if (chosen.run.generation !== generation) this.#tally.count('late settle')
    await this.#record([
      {
        ...chosen.run,
        outcome,
        detail,
        retryAfterMs: outcome === 'throttled' ? this.#pause() : 0,
        ageMs: this.operations.length % 8 === 0 ? 7 : 0,
      },
    ])
  }

  async #waitFor(what: Border, off: number): Promise<void> {
    const snapshot = await this.#known()
    const ahead = {
      retry: snapshot.state === 'open' ? (snapshot.retryAfterMs ?? 0) : 0,
      lease: snapshot.trialFreeInMs,
      window: this.#sequence.history.windowMs,
      rateWindow: Math.floor(this.#rateWindowMs / 10),
      rateAge: Math.max(1_000, Math.floor(this.#rateWindowMs / 10)),
      throttle: snapshot.throttledForMs,
      mark: snapshot.markForMs ?? 0,
      ramp: snapshot.rampForMs,
    }[what]
    if (ahead === 0) return
    if (what === 'ramp' && off >= 0) this.#tally.count('ramp over')
    if (what === 'lease' && off >= 0) this.#tally.count('lease expiry')
    this.#tally.steps += 1
    this.#nowMs += ahead + off
  }
}

export const isKnown = (reply: Reply): reply is KnownReply<unknown> => reply.status === 'ok'

/** A registration says by an error that it came too late; like every such answer it tells nothing else. */
function asLate(error: unknown): Reply {
  if (error instanceof CommandLateError) return { status: 'late', nowMs: Infinity }
  throw error
}
