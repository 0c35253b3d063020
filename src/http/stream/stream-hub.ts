import { EVENT_KINDS, STORE_EVENT_KINDS, type Busbar, type Logger, type StoreEvent } from '../../index.js'
import { eventJson } from '../../view/event-line.js'
import { hideSecrets } from '../../view/format.js'
import type { FleetEntry, FleetNow, FleetState } from '../fleet-state.js'
import { Refused } from '../problem.js'
import { FrameLog, frameText } from './frame-log.js'
import { StreamReader } from './stream-reader.js'

/** Times of a stream, ms; tests take shorter ones. */
export interface StreamTimes {
  readonly heartbeatMs: number
  /** A client that has taken nothing for so long, though there was something, is dropped. */
  readonly stuckMs: number
  /** How often all providers are read again. */
  readonly readEveryMs: number
  /** How long messages are kept for clients that come back, once the last has gone. */
  readonly lingerMs: number
  /** How long a stream lives; its client comes back by itself, and is authorized again. */
  readonly lifetimeMs: number
}

export const STREAM_TIMES: StreamTimes = {
  heartbeatMs: 15_000,
  stuckMs: 30_000,
  readEveryMs: 5_000,
  lingerMs: 60_000,
  lifetimeMs: 3_600_000,
}

export const MAX_STREAMS = 200

/**
 * All streams of one handler. They share one log of messages, one subscription and one timer; a client has a place in the
 * log. While there is no stream, and for `lingerMs` after the last, nothing is read and no timer runs.
 */
export class StreamHub {
  readonly #busbar: Busbar
  readonly #fleet: FleetState
  readonly #times: StreamTimes
  readonly #log = new FrameLog()
  readonly #readers = new Set<StreamReader>()
  /** What each provider was when it was sent last, without the time. */
  readonly #sent = new Map<string, string>()
  #changed = new Set<string>()
  #stops: (() => void)[] = []
  #flushTimer: NodeJS.Timeout | undefined
  #flushedAt = 0
  #readAt = 0
  #beatAt = 0
  #leftAt = 0

  constructor(busbar: Busbar, fleet: FleetState, times: StreamTimes = STREAM_TIMES) {
    this.#busbar = busbar
    this.#fleet = fleet
    this.#times = times
  }

  get count(): number {
    return this.#readers.size
  }

  /** @throws Refused when all are taken */
  open(sees: (id: string) => boolean, lastEventId: string | null): ReadableStream<Uint8Array> {
    if (this.#readers.size >= MAX_STREAMS) {
      const detail = `${MAX_STREAMS} streams are open, which is the most`
      throw new Refused('too_many_streams', detail, { 'retry-after': '30' })
    }
    this.#start()
    const parts = { log: this.#log, fleet: this.#fleet, sees, onEnd: (one: StreamReader) => this.#left(one) }
    const reader = new StreamReader(parts, this.#log.placeAfter(lastEventId))
    this.#readers.add(reader)
    const stream = reader.stream()
    if (this.#busbar.degradedSince !== undefined)
      reader.send(storeFrame('store_lost', this.#busbar.degradedSince))
    void this.#serve()
    return stream
  }

  close(): void {
    for (const reader of [...this.#readers]) reader.close()
    this.#stop()
  }

  #left(reader: StreamReader): void {
    this.#readers.delete(reader)
    this.#leftAt = performance.now()
  }

  #start(): void {
    if (this.#stops.length > 0) return
    this.#log.restart()
    this.#sent.clear()
    this.#beatAt = performance.now()
    const timer = setInterval(() => this.#tick(), Math.min(TICK_MS, this.#times.heartbeatMs))
    timer.unref()
    this.#stops = [
      () => clearInterval(timer),
      this.#busbar.watch((change) => {
        if (change === 'gap') this.#readAt = 0
        else this.#noteChange(change.providerId)
      }),
      ...EVENT_KINDS.map((kind) =>
        this.#busbar.on(kind, (event) =>
          this.#append('event', event.providerId, JSON.stringify(eventJson(event))),
        ),
      ),
      ...STORE_EVENT_KINDS.map((kind) => this.#busbar.on(kind, (event) => this.#store(event))),
    ]
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    this.#changed.clear()
    this.#sent.clear()
  }

  #store({ kind, at, reason }: StoreEvent): void {
    this.#append('store', null, JSON.stringify({ kind, at, reason: hideSecrets(reason) }))
    if (kind === 'store_restored') this.#readAt = 0
  }

  #append(event: string, providerId: string | null, data: string): void {
    this.#log.append(event, providerId, data)
    for (const reader of this.#readers) reader.wake()
  }

  /** Snapshots of one provider go four times a second at most; its events go at once. */
  #noteChange(id: string): void {
    this.#changed.add(id)
    const wait = Math.max(0, this.#flushedAt + FLUSH_EVERY_MS - performance.now())
    this.#flushTimer ??= setTimeout(() => this.#flush(), wait).unref()
  }

  #flush(): void {
    this.#flushTimer = undefined
    this.#flushedAt = performance.now()
    const changed = this.#changed
    this.#changed = new Set()
    this.#fleet.known()
    for (const id of changed) this.#publish(id, this.#fleet.entry(id))
  }

  #publish(id: string, entry: FleetEntry | undefined): void {
    if (entry === undefined) {
      if (this.#sent.delete(id)) this.#append('removed', id, JSON.stringify({ id }))
      else this.#readAt = 0 // registered just now
      return
    }
    const content = contentOf(entry)
    if (this.#sent.get(id) === content) return
    this.#sent.set(id, content)
    this.#append('snapshot', id, entry.json)
  }

  #tick(): void {
    const now = performance.now()
    const { heartbeatMs, lifetimeMs, lingerMs, readEveryMs, stuckMs } = this.#times
    if (this.#readers.size === 0) {
      if (now - this.#leftAt >= lingerMs) this.#stop()
      return
    }
    for (const reader of [...this.#readers]) {
      if (reader.stuckMs(now) >= stuckMs) reader.drop('this client does not read')
      else if (now - reader.openedAt >= lifetimeMs) reader.close()
    }
    if (now - this.#beatAt >= heartbeatMs) {
      this.#beatAt = now
      for (const reader of this.#readers) reader.send(': heartbeat\n\n')
    }
    const waiting = [...this.#readers].some((reader) => reader.waiting)
    if (waiting || now - this.#readAt >= readEveryMs) void this.#serve()
  }

  /** Reads the fleet, sends what has changed, and lets those catch up that wait for it. */
  async #serve(): Promise<void> {
    this.#readAt = performance.now()
    try {
      const now = await this.#fleet.now()
      const { entries } = now
      const ids = new Set(entries.map(({ id }) => id))
      // Nobody follows yet: the state is sent to each reader, and not by the log.
      if (this.#sent.size === 0) for (const entry of entries) this.#sent.set(entry.id, contentOf(entry))
      for (const entry of entries) this.#publish(entry.id, entry)
      for (const id of [...this.#sent.keys()]) if (!ids.has(id)) this.#publish(id, undefined)
      for (const reader of this.#readers) {
        reader.catchUp([...ids])
        reader.send(readFrame(now, reader))
      }
    } catch (error) {
      // Redis is away, or this busbar is closed: the next tick tries again, and clients were told.
      this.#logger.debug({ err: error }, 'the fleet could not be read for a stream')
    }
  }

  get #logger(): Logger {
    return this.#busbar.logger
  }
}

const TICK_MS = 1_000
const FLUSH_EVERY_MS = 250

const storeFrame = (kind: string, at: number): string =>
  frameText('store', JSON.stringify({ kind, at, reason: '' }))

/** All were read just now, also where nothing has changed: what a client shows is no older than this. */
function readFrame({ entries, unreadable, pausedProbeQueues }: FleetNow, { sees }: StreamReader): string {
  const at = entries.reduce((newest, { view }) => Math.max(newest, view.snapshot.at), 0)
  const shown = unreadable.filter(({ id }) => sees(id))
  return frameText('read', JSON.stringify({ at: at === 0 ? null : at, unreadable: shown, pausedProbeQueues }))
}

/** A provider without what only the time changes: two equal ones need not be sent twice. */
function contentOf({ view: { snapshot, origin, problems } }: FleetEntry): string {
  const { retryAfterMs, markForMs, blockedBy } = snapshot
  const lasting = {
    ...snapshot,
    ...{ at: 0, trialFreeInMs: 0, throttledForMs: 0, windowCoveredMs: 0, viewedForMs: 0, source: '' },
    ...{ retryAfterMs: retryAfterMs === null, markForMs: markForMs === null },
    blockedBy: blockedBy.map(({ code }) => code),
  }
  return JSON.stringify([lasting, origin.setAt, problems.length])
}
