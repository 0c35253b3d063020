import { checkArgument } from '../../config/check.js'
import { countQuerySchema } from '../../config/http.js'
import { DEFAULTS, maskSecrets } from '../../index.js'
import { packageVersion } from '../../package/version.js'
import { eventJson } from '../../view/event-line.js'
import { explain } from '../../view/explain.js'
import { groupsOf } from '../../view/group-view.js'
import { historyJson } from '../../view/history-json.js'
import { matrixSentences } from '../../view/matrix-words.js'
import { matrixOf } from '../../view/matrix.js'
import { pausedQueuesOf } from '../../view/paused.js'
import { readView, viewJson } from '../../view/provider-view.js'
import { scheduleJson, scheduleRows } from '../../view/schedule-rows.js'
import { sharedBody } from '../text-body.js'
import { json, providerOf, type Exchange } from '../exchange.js'
import { countsOf, type FleetNow } from '../fleet-state.js'
import { actionsOf } from '../rights.js'

/**
 * The fleet as this viewer may see it: what is hidden is in no list and no count. What was read no longer than `maxAgeMs` ago
 * serves, with all changes that were announced since.
 */
export async function fleetOf(
  { site, viewer }: Pick<Exchange, 'site' | 'viewer'>,
  maxAgeMs = 0,
): Promise<FleetNow> {
  const known = maxAgeMs > 0 ? site.fleet.known() : undefined
  const fresh = known !== undefined && Date.now() - known.readAt < maxAgeMs
  const now = fresh ? known : await site.fleet.now()
  if (!site.filtered) return now
  const sees = ({ id }: { readonly id: string }) => site.sees(id, viewer)
  return { ...now, entries: now.entries.filter(sees), unreadable: now.unreadable.filter(sees) }
}

/** Entries are JSON already; a list of them is put together, and encoded, once. */
const lists = new WeakMap<FleetNow, Uint8Array>()

export async function providers(exchange: Exchange): Promise<Response> {
  const now = await fleetOf(exchange)
  const made = lists.get(now) ?? new TextEncoder().encode(listText(exchange.site.busbar.namespace, now))
  lists.set(now, made)
  return sharedBody(made, 'application/json')
}

function listText(namespace: string, now: FleetNow): string {
  const { entries, readAt, unreadable, pausedProbeQueues } = now
  const about = JSON.stringify({ namespace, readAt, counts: countsOf(now), unreadable, pausedProbeQueues })
  return `${about.slice(0, -1)},"providers":[${entries.map((entry) => entry.json).join(',')}]}`
}

/** With what `busbar explain` says. */
export async function provider(exchange: Exchange): Promise<Response> {
  const found = await providerOf(exchange)
  const view = await readView(found)
  const [events, outages, pausedProbeQueues] = await Promise.all([
    found.events({ count: EXPLAINED_EVENTS }),
    found.outages(),
    pausedQueuesOf(exchange.site.busbar, found.id),
  ])
  const explanation = explain(view, events, outages, pausedProbeQueues)
  return json({ ...viewJson(view), pausedProbeQueues, explanation, outages })
}

export async function history(exchange: Exchange): Promise<Response> {
  const found = await providerOf(exchange)
  const view = await readView(found)
  return json(historyJson(view, await found.history({ count: countOf(exchange) })))
}

export async function events(exchange: Exchange): Promise<Response> {
  const found = await providerOf(exchange)
  const list = await found.events({ count: countOf(exchange) })
  return json({ id: found.id, events: list.map(eventJson) })
}

/** Of hidden providers a group has no trace, and a group of hidden ones is not there. */
export async function groups(exchange: Exchange): Promise<Response> {
  const { entries } = await fleetOf(exchange)
  return json({ groups: groupsOf(entries.map(({ view }) => view)) })
}

export async function workers({ site }: Exchange): Promise<Response> {
  return json({ workers: await site.busbar.workers() })
}

/** Asking is looking: while it goes on, the batches of the providers that this viewer may see count what is told here. */
export async function matrix(exchange: Exchange): Promise<Response> {
  const { site } = exchange
  // Of the providers themselves only what is announced matters here: state and suspects.
  const { entries } = await fleetOf(exchange, STATES_SERVE_MS)
  const { byWorker, readAt, nextInMs, unreadable, omitted } = await site.matrix.read(
    entries.map(({ id }) => id),
  )
  const sources = entries.flatMap(({ id, view: { snapshot } }) => {
    const own = byWorker.get(id)
    const suspects = snapshot.suspects.map(({ worker }) => worker)
    const { state, enforce } = snapshot
    return own === undefined ? [] : { id, state, enforce, suspects, byWorker: own }
  })
  const made = matrixOf(sources, omitted)
  return json({ readAt, nextInMs, sentences: matrixSentences(made), ...made, unreadable })
}

export async function schedules(exchange: Exchange): Promise<Response> {
  const [{ entries }, found] = await Promise.all([fleetOf(exchange), exchange.site.busbar.schedules()])
  const rows = scheduleRows(
    entries.map(({ view }) => view),
    found,
  )
  return json({ providers: rows.map(scheduleJson), queues: found.queues })
}

export async function config(exchange: Exchange): Promise<Response> {
  const { site, viewer } = exchange
  const { title, environment, readOnly, busbar } = site
  const { entries } = await fleetOf(exchange)
  const settings = entries.map(({ id, view: { settings: own, origin } }) => [
    id,
    { settings: maskSecrets(own), settingsOrigin: origin },
  ])
  return json({
    ...{ title, environment, readOnly, namespace: busbar.namespace, version: packageVersion() },
    ...{ actor: viewer.actor, actions: readOnly ? [] : actionsOf(viewer) },
    defaults: { breaker: DEFAULTS.breaker, history: DEFAULTS.history },
    providers: Object.fromEntries(settings) as Record<string, unknown>,
  })
}

const STATES_SERVE_MS = 10_000
const EXPLAINED_EVENTS = 100
const DEFAULT_COUNT = 100

function countOf({ url }: Exchange): number {
  const given = url.searchParams.get('count')
  if (given === null) return DEFAULT_COUNT
  return checkArgument(countQuerySchema, /^\d{1,9}$/.test(given) ? Number(given) : given, 'count')
}
