import { clean, formatAbout, formatCount, formatDuration, formatTime, plural } from './format.js'
import type { GroupHealth } from '../index.js'
import { paintGroupHealth } from './group-view.js'
import { pausedText } from './paused.js'
import { paintHealth, paintState, type Paints } from './paint.js'
import { fromDomains, rateText } from './rates.js'
import { clientErrorWords, ignoredWords, why, type ProviderView } from './provider-view.js'
import { suspectText } from './suspects.js'
import { probeTarget } from './probe-target.js'
import { probeText, retryText, successText } from './status-table.js'

/** Facts of the fleet that concern the provider. */
export interface DetailBeside {
  readonly pausedQueues?: readonly string[]
  /** Of the group that it is a member of; null where it has none. */
  readonly groupHealth?: GroupHealth | null
}

type Fact = readonly [name: string, text: string]

const fact = (name: string, text: string): Fact => [name, text]

/** None where there is nothing to say. */
const optional = (name: string, text: string): readonly Fact[] => (text === '' ? [] : [[name, text]])

/** One provider, one fact a line. */
export function statusDetail(
  view: ProviderView,
  paints: Paints,
  { pausedQueues = [], groupHealth = null }: DetailBeside = {},
): string {
  const { snapshot, settings } = view
  const { id, health, state, at } = snapshot
  const facts: Fact[] = [
    ['circuit', paintState(paints, state) + (snapshot.enforce ? '' : ' (not enforced: nothing is refused)')],
    ['why', why(view) || '-'],
    [
      'opened',
      snapshot.openedAt === null || snapshot.openedAt === 0 ? '-' : formatTime(snapshot.openedAt, at),
    ],
    ...optional('down since', snapshot.outageTrials === 0 ? '' : downSince(view)),
    ['retry in', retryText(view)],
    ['trials', trials(view)],
    ['mark', markText(view)],
    ['throttled', snapshot.throttled ? `for ${formatAbout(snapshot.throttledForMs)}` : 'no'],
    ['success', `${successText(view)} in the last ${formatDuration(settings.history.windowMs)}`],
    ['failures', failures(view)],
    ...snapshot.suspects.map((suspect) => fact('suspect', paints.yellow(suspectText(suspect, at)))),
    ...optional('rate', rateText(view)),
    ...optional('callers', snapshot.clientErrors === 0 ? '' : clientErrorWords(snapshot)),
    ...optional('ignored', snapshot.ignored === 0 ? '' : ignoredWords(snapshot)),
    ['last probe', probeText(view, paints) + detail(snapshot.lastProbeDetail)],
    ...(settings.probe === undefined || pausedQueues.length === 0
      ? []
      : [fact('probes', paints.yellow(pausedText(pausedQueues)))]),
    ...optional('group', groupHealth === null ? '' : groupText(view, groupHealth, paints)),
    ['settings', settingsText(view)],
    ...view.problems.map((problem) => fact('not read', paints.yellow(clean(problem)))),
    ...optional('set by', view.origin.pinned ? pinText(view) : ''),
    ['numbers', `generation ${snapshot.generation}, version ${snapshot.version}`],
  ]
  const lines = facts.map(([name, text]) => `  ${paints.dim(name.padEnd(11))} ${text}`)
  return [`${paints.bold(id)}  ${paintHealth(paints, health)}`, ...lines].join('\n')
}

const groupText = ({ settings }: ProviderView, health: GroupHealth, paints: Paints): string =>
  `${settings.group ?? ''} is ${paintGroupHealth(paints, health)}; priority ${settings.priority ?? 0}, weight ${settings.weight ?? 1}`

const detail = (text: string): string => (text === '' ? '' : ` (${clean(text)})`)

function trials({ snapshot, settings }: ProviderView): string {
  if (snapshot.state !== 'half_open') return '-'
  return `${snapshot.trials} of ${settings.breaker.halfOpenMaxTrials} under way`
}

function markText({ snapshot }: ProviderView): string {
  const { mark, markActor, markReason, markForMs } = snapshot
  if (mark === null) return '-'
  const end = markForMs === null ? 'until resumed' : `for ${formatAbout(markForMs)}`
  return clean(`${mark} by ${markActor}, ${end}${markReason === '' ? '' : `: ${markReason}`}`)
}

function downSince({ snapshot }: ProviderView): string {
  const { outageSince, outageReason, outageTrials, at } = snapshot
  const since =
    outageSince === null ? '-' : `${formatTime(outageSince, at)} (${formatAbout(at - outageSince)})`
  return clean(`${since}: ${outageReason}; ${plural(outageTrials, 'failed trial')}`)
}

function failures({ snapshot, settings }: ProviderView): string {
  const { consecutiveFailures, probeConsecutiveFailures } = snapshot
  const counts = `${formatCount(consecutiveFailures)} calls, ${formatCount(probeConsecutiveFailures)} probes`
  const { failureThreshold } = settings.breaker
  const open =
    failureThreshold === null
      ? 'no number of them opens'
      : `${fromDomains(formatCount(failureThreshold), settings.breaker)} open`
  return `${counts} in a row; ${open} the circuit`
}

const pinText = ({ origin, snapshot }: ProviderView): string =>
  `${clean(origin.setBy)} at ${formatTime(origin.setAt, snapshot.at)}; code does not change them until busbar apply --release ${snapshot.id}`

function settingsText({ settings }: ProviderView): string {
  const { breaker, probe, slowMs } = settings
  const parts = [
    `cooldown ${formatDuration(breaker.cooldownMs)}`,
    ...(slowMs === undefined ? [] : [`degraded when slower than ${formatDuration(slowMs)}`]),
    ...(probe === undefined
      ? ['no probe']
      : [`probe ${clean(probeTarget(probe))} every ${formatDuration(probe.intervalMs)}`]),
  ]
  return parts.join(', ')
}
