import type { HealthStatus } from '../index.js'
import { formatAbout, formatExact, pluralExact } from './format.js'
import { blocksOfAll, retryIn, type ProviderView } from './provider-view.js'

/** How many providers are down, degraded and healthy: `1 unhealthy, 0 degraded, 11 healthy`. */
export function countsText(views: readonly ProviderView[]): string {
  const count = (health: HealthStatus) => views.filter(({ snapshot }) => snapshot.health === health).length
  const [healthy, degraded] = [count('healthy'), count('degraded')]
  const down = views.length - healthy - degraded
  return `${down} unhealthy, ${degraded} degraded, ${healthy} healthy`
}

/** The fleet in one sentence. */
export function fleetSentence(views: readonly ProviderView[], unreadable: number): string {
  if (views.length + unreadable === 0) return 'No provider is registered yet.'
  const unread = unreadable === 0 ? '' : `; ${pluralExact(unreadable, 'provider')} cannot be read`
  return `${pluralExact(views.length, 'provider')}: ${countsText(views)}${unread}.`
}

/** Those that refuse calls now. */
export const refusing = (views: readonly ProviderView[]): readonly ProviderView[] =>
  views.filter(({ snapshot }) => snapshot.enforce && blocksOfAll(snapshot).length > 0)

/** The first thing that somebody who was just woken wants to know: whether any provider refuses calls. */
export function refusingSentence(views: readonly ProviderView[]): string {
  if (views.length === 0) return 'No provider is registered yet.'
  const count = refusing(views).length
  const all = pluralExact(views.length, 'provider')
  if (count > 0) return `${formatExact(count)} of ${all} ${count === 1 ? 'refuses' : 'refuse'} calls.`
  const ill = views.filter(({ snapshot }) => snapshot.health !== 'healthy').length
  const but = ill === 0 ? '' : `; ${formatExact(ill)} ${ill === 1 ? 'is' : 'are'} not healthy`
  return views.length === 1 ? `The one provider takes calls${but}.` : `All ${all} take calls${but}.`
}

const NAMED = 5

/** Which do, and for how long: `cycling (another 24s), exports (until somebody resumes it), and 4 more`; empty where none does. */
export function refusingNames(views: readonly ProviderView[]): string {
  const all = refusing(views)
  const names = all.slice(0, NAMED).map((view) => `${view.snapshot.id} ${howLong(view)}`)
  const more = all.length > NAMED ? `, and ${formatExact(all.length - NAMED)} more` : ''
  return names.join(', ') + more
}

function howLong({ snapshot }: ProviderView): string {
  const retry = retryIn(snapshot)
  if (typeof retry === 'number') return `(another ${formatAbout(retry)})`
  if (retry === 'on reset') return '(until somebody resets it)'
  return retry === 'on resume' ? '(until somebody resumes it)' : '(trials are under way)'
}

/** What a screen says while it can show nothing. */
export const AWAY_SENTENCE = 'Redis does not answer. The providers are shown here as soon as it does.'
