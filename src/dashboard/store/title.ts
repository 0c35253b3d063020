import { blocksOfAll, type ProviderView } from '../../view/provider-view.js'
import type { About } from './about.js'

/** `(2) Fleet - Busbar (production)`: how many providers refuse calls, where any does. */
export function tabTitle(
  { title, environment }: About,
  place: string,
  views: readonly ProviderView[],
): string {
  const refusing = views.filter(({ snapshot }) => snapshot.enforce && blocksOfAll(snapshot).length > 0).length
  const count = refusing === 0 ? '' : `(${refusing}) `
  const name = place.charAt(0).toUpperCase() + place.slice(1)
  return `${count}${name} - ${title}${environment === '' ? '' : ` (${environment})`}`
}
