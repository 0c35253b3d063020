import type { HealthStatus } from '../index.js'
import { plural } from './format.js'
import type { ProviderView } from './provider-view.js'

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

/** What a screen says while it can show nothing. */
export const AWAY_SENTENCE = 'Redis does not answer. The providers are shown here as soon as it does.'
