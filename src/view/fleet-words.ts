import type { HealthStatus } from '../index.js'
import { formatAbout, formatCount, plural } from './format.js'
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
  const unread = unreadable === 0 ? '' : `; ${plural(unreadable, 'provider')} cannot be read`
  return `${plural(views.length, 'provider')}: ${countsText(views)}${unread}.`
}

const NAMED = 3

/** What a person who has just been woken wants to know first: who refuses calls, and for how long; else that nobody does. */
export function refusingSentence(views: readonly ProviderView[]): string {
  if (views.length === 0) return 'No provider is registered yet.'
  const refusing = views.filter(({ snapshot }) => snapshot.enforce && blocksOfAll(snapshot).length > 0)
  const all = plural(views.length, 'provider')
  if (refusing.length === 0) {
    const ill = views.filter(({ snapshot }) => snapshot.health !== 'healthy').length
    const but = ill === 0 ? '' : `; ${formatCount(ill)} ${ill === 1 ? 'is' : 'are'} not healthy`
    return views.length === 1 ? `The one provider takes calls${but}.` : `All ${all} take calls${but}.`
  }
  const names = refusing.slice(0, NAMED).map((view) => `${view.snapshot.id} ${howLong(view)}`)
  const more = refusing.length > NAMED ? `, and ${formatCount(refusing.length - NAMED)} more` : ''
  const verb = refusing.length === 1 ? 'refuses' : 'refuse'
  return `${formatCount(refusing.length)} of ${all} ${verb} calls: ${names.join(', ')}${more}.`
}

function howLong({ snapshot }: ProviderView): string {
  const retry = retryIn(snapshot)
  if (typeof retry === 'number') return `(another ${formatAbout(retry)})`
  if (retry === 'on reset') return '(until somebody resets it)'
  return retry === 'on resume' ? '(until somebody resumes it)' : '(trials are under way)'
}

/** What a screen says while it can show nothing. */
export const AWAY_SENTENCE = 'Redis does not answer. The providers are shown here as soon as it does.'
