import { isBusbarError, type Busbar, type ProviderEvent } from '../index.js'
import type { Shutdown } from './start/shutdown.js'

/**
 * Shows every event once, in order for each provider, from the newest stored ones on. There are two sources. The channel
 * is quick and can miss events; the streams keep the last thousand or so. The streams are read at the start, after the
 * subscription was lost, and after Redis was away. An event that was shown already is known by its version, which only grows.
 *
 * Modes: catching up (events of the channel wait) -> live -> catching up after a gap -> ...
 */
export interface FollowOptions {
  readonly busbar: Busbar
  /** One provider; undefined: all. */
  readonly id: string | undefined
  readonly shutdown: Shutdown
  /** How many to show of those that were there before. */
  readonly count: number
  /** The newest events of each provider, oldest first. */
  readonly before: () => Promise<readonly ProviderEvent[]>
  readonly show: (event: ProviderEvent) => void
  /** Prints a line about the connection, which is no event. */
  readonly note: (text: string) => void
}

/** Begins to follow, until the command ends. @throws the error of the first reading */
export async function followEvents(options: FollowOptions): Promise<void> {
  const { busbar, id, shutdown, before, count } = options
  const shown = new Shown(options.show)
  let waiting: ProviderEvent[] | undefined = []
  const unwatch = busbar.watch((change) => {
    if (change === 'gap') catchUp().catch((error: unknown) => shutdown.fail(error))
    else if (id === undefined || change.providerId === id) {
      if (waiting === undefined) shown.offer(change.events)
      else waiting.push(...change.events)
    }
  })
  const catchUp = async () => {
    if (waiting !== undefined) return
    waiting = []
    try {
      shown.offer(await eventsSince(busbar, id))
    } catch (error) {
      if (!isBusbarError(error)) throw error // Redis is lost again, and its return will be another gap
    }
    shown.offer(waiting)
    waiting = undefined
  }
  shutdown.onEnd(unwatch)
  const old = await before()
  shown.skip(old.slice(0, -count))
  shown.offer(old.slice(-count))
  shown.offer(waiting)
  waiting = undefined
  watchRedis(options, catchUp)
}

/** More events than a stream holds, so that all of them are read. */
const STREAM_LENGTH = 2_000

async function eventsSince(busbar: Busbar, id: string | undefined): Promise<ProviderEvent[]> {
  const ids = id === undefined ? await busbar.providers() : [id]
  return (await readEvents(busbar, ids, STREAM_LENGTH)).sort((a, b) => a.at - b.at)
}

const AT_ONCE = 50

/** The newest `count` events of each provider, some providers at a time; none of one that was removed meanwhile. */
export async function readEvents(
  busbar: Busbar,
  ids: readonly string[],
  count: number,
): Promise<ProviderEvent[]> {
  const events: ProviderEvent[] = []
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE).map(async (id) => {
      const provider = await busbar.lookup(id)
      return provider === undefined ? [] : provider.events({ count })
    })
    for (const one of await Promise.all(some)) events.push(...one)
  }
  return events
}

/** The events shown of each provider: the newest version, and the kinds of its events that were shown. */
class Shown {
  readonly #newest = new Map<string, { version: number; kinds: Set<string> }>()
  readonly #show: (event: ProviderEvent) => void

  constructor(show: (event: ProviderEvent) => void) {
    this.#show = show
  }

  offer(events: readonly ProviderEvent[]): void {
    for (const event of events) if (this.#isNew(event)) this.#show(event)
  }

  skip(events: readonly ProviderEvent[]): void {
    for (const event of events) this.#isNew(event)
  }

  #isNew({ providerId, version, kind }: ProviderEvent): boolean {
    const newest = this.#newest.get(providerId)
    if (newest === undefined || version > newest.version) {
      this.#newest.set(providerId, { version, kinds: new Set([kind]) })
      return true
    }
    if (version < newest.version || newest.kinds.has(kind)) return false
    newest.kinds.add(kind)
    return true
  }
}

const ASK_EVERY_MS = 2_000

/** Asks Redis regularly, because a subscription is silent while Redis is away. The timer also keeps the process alive. */
function watchRedis({ busbar, shutdown, note }: FollowOptions, back: () => Promise<void>): void {
  let timer: NodeJS.Timeout | undefined
  let away = false
  const ask = async () => {
    try {
      await busbar.providers()
      if (away) {
        note('Redis answers again')
        await back()
      }
      away = false
    } catch (error) {
      if (!isBusbarError(error)) throw error
      if (!away && !shutdown.begun) note(`Redis does not answer (${error.message}); waiting for it`)
      away = true
    }
  }
  const again = () => {
    timer = setTimeout(() => {
      ask()
        .catch((error: unknown) => shutdown.fail(error))
        .finally(() => {
          if (!shutdown.begun) again()
        })
    }, ASK_EVERY_MS)
  }
  shutdown.onEnd(() => clearTimeout(timer))
  again()
}
