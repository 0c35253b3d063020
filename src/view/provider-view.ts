import {
  isBusbarError,
  maskSecrets,
  type Busbar,
  type Provider,
  type Settings,
  type Snapshot,
} from '../index.js'
import { isProviderTrouble } from './provider-trouble.js'
import { clean, formatAbout, formatCount, formatRate, plural } from './format.js'

/** A provider at one moment, and the settings it is judged by. */
export interface ProviderView {
  readonly snapshot: Snapshot
  readonly settings: Settings
  /** By whom and when the settings were set, and whether they outrank code. */
  readonly origin: Provider['settingsOrigin']
  /** The stored settings that this version cannot read, in words. */
  readonly problems: Provider['settingsProblems']
}

export async function readView(provider: Provider): Promise<ProviderView> {
  const snapshot = await provider.snapshot() // brings the settings up to date, so it goes first
  const { settings, settingsOrigin: origin, settingsProblems: problems } = provider
  return { snapshot, settings, origin, problems }
}

const AT_ONCE = 50

/** A registered provider that cannot be read, and why. */
export interface Unreadable {
  readonly id: string
  readonly why: string
}

/** The result of reading: one provider that cannot be read does not hide the others. */
export interface ReadAll {
  readonly views: readonly ProviderView[]
  readonly unreadable: readonly Unreadable[]
}

/**
 * Reads the providers whose ids are accepted, in the order of registration. Some are read at a time, so that a fleet of
 * thousands neither queues for seconds nor runs into the command timeout.
 */
export async function readAll(
  busbar: Busbar,
  accepts: (id: string) => boolean = () => true,
): Promise<ReadAll> {
  const ids = (await busbar.providers()).filter(accepts)
  const views: ProviderView[] = []
  const unreadable: Unreadable[] = []
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE).map((id) => readOne(busbar, id))
    for (const read of await Promise.all(some)) {
      if (read === undefined) continue
      if (read.kind === 'unreadable') unreadable.push(read.unreadable)
      else views.push(read.view)
    }
  }
  return { views, unreadable }
}

type ReadOne =
  | { readonly kind: 'read'; readonly view: ProviderView }
  | { readonly kind: 'unreadable'; readonly unreadable: Unreadable }

/** Undefined when it was removed since it was listed. */
async function readOne(busbar: Busbar, id: string): Promise<ReadOne | undefined> {
  try {
    // A handle that this process has costs one command, a lookup four.
    const provider = busbar.get(id) ?? (await busbar.lookup(id))
    return provider === undefined ? undefined : { kind: 'read', view: await readView(provider) }
  } catch (error) {
    if (isBusbarError(error, 'provider_removed')) return undefined
    return { kind: 'unreadable', unreadable: unreadableOf(id, error) }
  }
}

/** The entry of a provider that cannot be read. @throws `error`, where it is about more than this provider */
export function unreadableOf(id: string, error: unknown): Unreadable {
  // An id that none can be was put into the list by another program: it must not hide the others.
  if (isProviderTrouble(error) || isBusbarError(error, 'argument_invalid'))
    return { id, why: clean(causeOf(error)) }
  throw error
}

const causeOf = (error: Error): string =>
  isBusbarError(error, 'redis_unavailable') && error.cause instanceof Error
    ? error.cause.message
    : error.message

/** The snapshot under its own names, the reason in words, and the settings, with secrets masked. */
export function viewJson(view: ProviderView): object {
  const { snapshot, settings, origin, problems } = view
  return {
    ...snapshot,
    unknown: isUnknown(view),
    why: why(view),
    settings: maskSecrets(settings),
    settingsOrigin: origin,
    settingsProblems: problems,
  }
}

/**
 * Whether the health of the provider is unknown: no outcome since its registration, or a probe without results. A
 * provider that is merely idle keeps its health, and a mark is a person's knowledge.
 */
export const isUnknown = ({ snapshot: { mark, applied, stale } }: ProviderView): boolean =>
  mark === null && (applied === 0 || stale)

/** Why the provider is as it is, in a few words; empty when there is nothing to say. */
export function why(view: ProviderView): string {
  const { snapshot } = view
  const said = [
    markWords(snapshot),
    circuitWords(view),
    rampWords(snapshot),
    mostlyClientErrors(snapshot) ? clientErrorWords(snapshot) : '',
    mostlyIgnored(snapshot) ? ignoredWords(snapshot) : '',
    pauseWords(snapshot),
  ].filter((words) => words !== '')
  return clean(said.join('; '))
}

function markWords({ mark, markActor, markReason, markForMs }: Snapshot): string {
  if (mark === null) return ''
  const reason = markReason === '' ? '' : `: ${markReason}`
  const ends = markForMs === null ? '' : `, ends in ${formatAbout(markForMs)}`
  return `marked ${mark} by ${markActor}${ends}${reason}`
}

function circuitWords(view: ProviderView): string {
  const { snapshot, settings } = view
  const { state, reason, trials, mark, health } = snapshot
  switch (state) {
    case 'open':
      return reason + outageWords(snapshot)
    case 'half_open': {
      const next = trials > 0 ? 'a trial is under way' : 'the next call is a trial'
      return `cooldown over, ${next}${outageWords(snapshot)}`
    }
    case 'closed':
      if (mark === null && reason === UNTOUCHED && snapshot.applied === 0) return 'no outcome yet'
      if (mark !== null || health === 'healthy') return mark === null && reason !== UNTOUCHED ? reason : ''
      return `${formatRate(snapshot.successRate)} healthy is below ${formatRate(settings.history.degradationThreshold)}`
    default:
      return state satisfies never
  }
}

/** Since when it has been down, if trials have failed since: the state alone has only its last opening. */
export function outageWords({ outageSince, outageReason, outageTrials, at }: Snapshot): string {
  if (outageSince === null || outageTrials === 0) return ''
  const trials = plural(outageTrials, 'failed trial')
  return `; down for ${formatAbout(at - outageSince)} (${outageReason}), ${trials}`
}

/** `recovering: 37 % of calls are let through`; empty where all are. */
export const rampWords = ({ blockedBy }: Snapshot): string =>
  blockedBy.find(({ code }) => code === 'recovering')?.reason ?? ''

const pauseWords = ({ throttled, throttledForMs }: Snapshot): string =>
  throttled ? `asked for a pause (429), ${formatAbout(throttledForMs)} left` : ''

/** `214 of 214 calls: client error (HTTP 401)`; empty where there was none. */
export function clientErrorWords({ clientErrors, lastClientError, historyTotal }: Snapshot): string {
  if (clientErrors === 0) return ''
  const seen = lastClientError === '' ? '' : ` (${clean(lastClientError)})`
  return `${formatCount(clientErrors)} of ${formatCount(clientErrors + historyTotal)} calls: client error${seen}`
}

/** Whether at least half of the outcomes were client errors. A few are normal: a 404 answers a question. */
export const mostlyClientErrors = ({ clientErrors, historyTotal }: Snapshot): boolean =>
  clientErrors > 0 && clientErrors >= historyTotal

/** `40 of 45 calls: ignored (aborted)`; empty where there was none. */
export function ignoredWords({ ignored, lastIgnored, clientErrors, historyTotal }: Snapshot): string {
  if (ignored === 0) return ''
  const because = lastIgnored === '' ? '' : ` (${clean(lastIgnored)})`
  const calls = ignored + clientErrors + historyTotal
  return `${formatCount(ignored)} of ${formatCount(calls)} calls: ignored${because}`
}

/** Whether most calls were ignored, so that a dead provider would hardly be seen. */
export const mostlyIgnored = ({ ignored, clientErrors, historyTotal }: Snapshot): boolean =>
  ignored > clientErrors + historyTotal

/** Advice that ends it, in words. */
export function ignoredAdvice({ lastIgnored }: Snapshot): string {
  if (lastIgnored === 'aborted')
    return 'An abort says nothing of the provider: give execute a timeoutMs, and a call that is too slow counts.'
  if (lastIgnored === 'event loop stalled')
    return 'The event loop of a worker stands still: move what blocks it out of the way (callsStalled counts them).'
  return 'Such calls say nothing of the provider: the log of the workers says why.'
}

/** The longest wait of a due probe for the planner, ms: another process takes over within a second or so. */
export const LATE_MS = 3_000

/** The blocks that refuse every call: `recovering` refuses a share of them. */
export const blocksOfAll = ({ blockedBy }: Snapshot): Snapshot['blockedBy'] =>
  blockedBy.filter(({ code }) => code !== 'recovering')

/** When calling again can help: ms, or the step that a person must take; undefined when nothing blocks every call. */
export function retryIn(snapshot: Snapshot): number | 'on resume' | 'on reset' | undefined {
  const blockedBy = blocksOfAll(snapshot)
  const endless = blockedBy.find(({ retryAfterMs }) => retryAfterMs === null)
  if (endless !== undefined) return endless.code === 'circuit_open' ? 'on reset' : 'on resume'
  const latest = Math.max(0, ...blockedBy.map(({ retryAfterMs }) => retryAfterMs ?? 0))
  return latest > 0 ? latest : undefined
}

/** The origin of an event: the person who asked, else the process that found it. */
export const madeBy = ({ actor, worker }: { readonly actor: string; readonly worker: string }): string =>
  clean(actor === '' ? worker : actor)

/** The reason of a circuit that nothing has moved since its registration. */
export const UNTOUCHED = 'registered'
