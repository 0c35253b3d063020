import type { EventKind, Outage, ProviderEvent } from '../index.js'
import { clean, formatAbout, formatCount, formatDuration, formatRate, formatTime, plural } from './format.js'
import { explainProbe } from './explain-probe.js'
import { fromDomains, longReason, rateText } from './rates.js'
import { suspectsText } from './suspects.js'
import {
  blocksOfAll,
  clientErrorWords,
  ignoredAdvice,
  ignoredWords,
  madeBy,
  mostlyClientErrors,
  mostlyIgnored,
  rampWords,
  UNTOUCHED,
  type ProviderView,
} from './provider-view.js'

/** A provider's state in sentences, each under a word for the question that it answers. */
export interface Explanation {
  readonly headline: string
  readonly sentences: readonly { readonly topic: string; readonly text: string }[]
}

/**
 * `events` are the newest ones, oldest first: they say since when, and by whom. `outages` are those that ended, oldest
 * first. `pausedQueues` hold up its probes.
 */
export function explain(
  view: ProviderView,
  events: readonly ProviderEvent[],
  outages: readonly Outage[] = [],
  pausedQueues: readonly string[] = [],
): Explanation {
  const topics: readonly (readonly [string, string])[] = [
    ['why', becauseOf(view)],
    ['since', since(view, events)],
    ['outage', outageText(view)],
    ['before', outagesText(view, outages)],
    ['until', until(view)],
    ['closes', whatCloses(view)],
    ['ramp', rampText(view)],
    ['against it', streaks(view)],
    ['rate', rateText(view)],
    ['suspects', suspectsText(view)],
    ['callers', clientErrorText(view)],
    ['ignored', ignoredText(view)],
    ['mark', markText(view, events)],
    ['pause', pauseText(view)],
    ['probe', explainProbe(view, pausedQueues)],
    ['settings', [pinText(view), ...view.problems.map(problemText)].filter((text) => text !== '').join(' ')],
    [
      'refusals',
      view.snapshot.enforce ? '' : 'Nothing is refused: enforce is false, so it is all only counted.',
    ],
  ]
  return {
    headline: headline(view),
    sentences: topics
      .filter(([, text]) => text !== '')
      .map(([topic, text]) => ({ topic, text: clean(text) })),
  }
}

function headline({ snapshot }: ProviderView): string {
  const { id, health, mark, state } = snapshot
  const share = snapshot.enforce ? rampShareText(snapshot) : ''
  const some = share === '' ? 'calls go through' : `${share} go through`
  const calls = refusesAll(snapshot) ? 'calls are refused' : some
  if (mark !== null) return `${id} is ${health}: it is marked so, and ${calls}. Its circuit is ${state}.`
  switch (state) {
    case 'open':
      return `${id} is ${health}: its circuit is open, and ${calls}.`
    case 'half_open':
      return `${id} is ${health}; its circuit is half_open: trials decide whether it closes.`
    case 'closed':
      return `${id} is ${health}; its circuit is closed, and ${calls}.`
    default:
      return state satisfies never
  }
}

const refusesAll = (snapshot: ProviderView['snapshot']): boolean =>
  snapshot.enforce && blocksOfAll(snapshot).length > 0

/** `37 % of calls`; empty where the ramp is over, or there is none. */
const rampShareText = (snapshot: ProviderView['snapshot']): string =>
  /\d+ % of calls/.exec(rampWords(snapshot))?.[0] ?? ''

function rampText({ snapshot }: ProviderView): string {
  const share = rampShareText(snapshot)
  if (share === '') return ''
  const lets = `Each worker lets ${share.replace('of calls', 'of its calls')} through`
  const all = `all of them in ${formatAbout(snapshot.rampForMs)}`
  return `${lets}, ${all}. An opening before that grows the cooldown on. All at once: busbar reset ${snapshot.id}`
}

function becauseOf({ snapshot }: ProviderView): string {
  const { state, mark, markActor } = snapshot
  const reason = longReason(snapshot.reason)
  if (mark !== null && state === 'closed') return `It is marked ${mark} by ${markActor}.`
  if (reason === UNTOUCHED) return 'Nothing has moved the circuit yet.'
  if (state === 'half_open' && reason !== 'cooldown over')
    return `The cooldown is over. It had opened: ${reason}.`
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}

const CIRCUIT_EVENTS: readonly EventKind[] = ['registered', 'opened', 'half_opened', 'closed', 'reset']

function since({ snapshot }: ProviderView, events: readonly ProviderEvent[]): string {
  const { openedAt, at, state } = snapshot
  const ago = (ms: number) => `${formatTime(ms, at)} (${formatAbout(at - ms)} ago)`
  const last = events.findLast((event) => CIRCUIT_EVENTS.includes(event.kind))
  const by = last === undefined || last.to !== state ? '' : `, by ${madeBy(last)}`
  if (state === 'half_open' && openedAt !== null && openedAt > 0)
    return `It last opened at ${ago(openedAt)}${by}.`
  const from = state === 'open' ? (openedAt ?? last?.at) : last?.at
  if (from === undefined) return ''
  const word = state === 'closed' && last?.kind === 'registered' ? 'Registered' : `It is ${state} since`
  return `${word} ${ago(from)}${by}.`
}

/** When the outage began. A failed trial does not move this. */
function outageText({ snapshot }: ProviderView): string {
  const { outageSince, outageReason, outageBy, outageTrials, outageDoomed, at } = snapshot
  if (outageSince === null) return ''
  const began = `It began at ${formatTime(outageSince, at)} (${formatAbout(at - outageSince)} ago)`
  const how = outageBy === 'hand' ? `tripped by hand: ${outageReason}` : longReason(outageReason)
  const since = `Since then ${plural(outageTrials, 'trial')} and ${plural(outageDoomed, 'outcome')} failed.`
  return `${began}, ${how}.${outageTrials + outageDoomed === 0 ? '' : ` ${since}`}`
}

function outagesText({ snapshot: { at } }: ProviderView, outages: readonly Outage[]): string {
  const last = outages.at(-1)
  if (last === undefined) return ''
  const lasted = formatDuration(last.to - last.from)
  const when = `from ${formatTime(last.from, at)} to ${formatTime(last.to, at)} (${lasted})`
  const cost = `${plural(last.trials, 'failed trial')}, ${plural(last.doomed, 'failed outcome')}`
  const earlier =
    outages.length === 1
      ? ''
      : ` ${formatCount(outages.length)} are kept, the oldest from ${formatTime(outages[0]?.from ?? 0, at)}.`
  return `The last outage that ended was ${when}: ${last.reason}; ${cost}.${earlier}`
}

function until({ snapshot, settings }: ProviderView): string {
  const { state, retryAfterMs, at, trials, trialFreeInMs } = snapshot
  const { halfOpenMaxTrials } = settings.breaker
  if (state === 'closed') return ''
  if (state === 'half_open') {
    const slots = `${trials} of ${halfOpenMaxTrials} in the whole fleet are under way`
    const free = trials > 0 ? `; the next slot is free in ${formatAbout(trialFreeInMs)} at the latest` : ''
    return `Trials are let through now: ${slots}${free}.`
  }
  if (retryAfterMs === null) return 'It stays open until somebody resets it: it was tripped without an end.'
  const when = `${formatTime(at + retryAfterMs, at)} (in ${formatAbout(retryAfterMs)})`
  return `${when}; then it is half_open and lets ${plural(halfOpenMaxTrials, 'trial')} through at a time.`
}

function whatCloses({ snapshot, settings }: ProviderView): string {
  const { id, state, consecutiveSuccesses, retryAfterMs } = snapshot
  const { successThreshold } = settings.breaker
  if (state === 'closed') return ''
  if (retryAfterMs === null) return `By hand alone: busbar reset ${id}`
  const missing = Math.max(1, successThreshold - (state === 'half_open' ? consecutiveSuccesses : 0))
  const trials = `${plural(missing, 'successful trial')} closes it`.replace('trials closes', 'trials close')
  return `${trials}; one that fails opens it again for ${nextCooldown({ snapshot, settings })}. By hand: busbar reset ${id}`
}

function nextCooldown({ snapshot, settings }: Pick<ProviderView, 'snapshot' | 'settings'>): string {
  const { cooldownMs, cooldownMultiplier, maxCooldownMs, cooldownJitter } = settings.breaker
  const grown = snapshot.cooldownMs * cooldownMultiplier
  const next = snapshot.cooldownMs === 0 ? cooldownMs : Math.min(grown, maxCooldownMs)
  return `${formatDuration(next)}${cooldownJitter > 0 ? ' or a little longer' : ''}`
}

/** How many failures in a row and in the window count against the provider. */
function streaks({ snapshot, settings }: ProviderView): string {
  const { consecutiveFailures, probeConsecutiveFailures, historyTotal, successRate, windowCoveredMs } =
    snapshot
  const { windowMs, degradationThreshold } = settings.history
  const threshold = settings.breaker.failureThreshold
  const runs = [
    `${plural(consecutiveFailures, 'failed call')} in a row`,
    ...(settings.probe === undefined ? [] : [`${plural(probeConsecutiveFailures, 'failed probe')} in a row`]),
  ]
  const covered =
    windowCoveredMs < windowMs ? ` (maxRecords keeps ${formatDuration(windowCoveredMs)} of it)` : ''
  const rate =
    historyTotal === 0
      ? 'nothing recorded'
      : `${formatRate(successRate)} of ${formatCount(historyTotal)} records healthy`
  return (
    `${runs.join(', ')} (${threshold === null ? 'no number of them opens it' : `${fromDomains(formatCount(threshold), settings.breaker)} open it`}). ` +
    `In the last ${formatDuration(windowMs)}${covered}: ${rate} (below ${formatRate(degradationThreshold)} counts as degraded).`
  )
}

function clientErrorText({ snapshot, settings }: ProviderView): string {
  const words = clientErrorWords(snapshot)
  if (words === '') return ''
  const often = mostlyClientErrors(snapshot) ? ' Look at what is asked: a revoked key, a wrong address?' : ''
  const window = formatDuration(settings.history.windowMs)
  return `In the last ${window} ${words}. The provider answers, so the circuit counts them as successes.${often}`
}

function ignoredText({ snapshot, settings }: ProviderView): string {
  const words = ignoredWords(snapshot)
  if (words === '') return ''
  const advice = mostlyIgnored(snapshot) ? ` ${ignoredAdvice(snapshot)}` : ''
  return `In the last ${formatDuration(settings.history.windowMs)} ${words}. They count neither way.${advice}`
}

function markText({ snapshot }: ProviderView, events: readonly ProviderEvent[]): string {
  const { id, mark, markActor, markReason, markForMs, at } = snapshot
  if (mark === null) return 'None.'
  const set = events.findLast((event) => event.kind === 'marked')
  const when = set === undefined ? '' : ` at ${formatTime(set.at, at)}`
  const reason = markReason === '' ? 'without a reason' : `because: ${markReason}`
  const end = markForMs === null ? 'It has no end' : `It ends in ${formatAbout(markForMs)}`
  const probes = mark === 'degraded' ? 'Calls and probes go on' : 'Calls are refused, probes are stopped'
  return `Marked ${mark} by ${markActor}${when}, ${reason}. ${probes}. ${end}. By hand: busbar resume ${id}`
}

const problemText = (problem: string): string =>
  `Not read by this version of Busbar, which goes by the default: ${problem}.`

const pinText = ({ origin, snapshot }: ProviderView): string =>
  origin.pinned
    ? `Applied by ${origin.setBy} at ${formatTime(origin.setAt, snapshot.at)}: code does not change them. Let it: busbar apply --release ${snapshot.id}`
    : ''

const pauseText = ({ snapshot }: ProviderView): string =>
  snapshot.throttled
    ? `It asked for a pause (429): no calls for another ${formatAbout(snapshot.throttledForMs)}.`
    : ''
