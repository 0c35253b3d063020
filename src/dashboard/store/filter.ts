import { finderOf } from '../../view/provider-list.js'
import type { ProviderView } from '../../view/provider-view.js'
import type { Filter } from './route.js'

/** The states that the list can be narrowed to, in the order in which they are offered. */
export const STATES = [
  ['unhealthy', ({ snapshot: { health } }) => health === 'unhealthy' || health === 'timeout'],
  ['degraded', ({ snapshot: { health } }) => health === 'degraded'],
  ['terminated', ({ snapshot: { health } }) => health === 'terminated'],
  ['healthy', ({ snapshot: { health } }) => health === 'healthy'],
  ['open', ({ snapshot: { state } }) => state === 'open'],
  ['half_open', ({ snapshot: { state } }) => state === 'half_open'],
  ['marked', ({ snapshot: { mark } }) => mark !== null],
  ['overdue', ({ snapshot: { stale } }) => stale],
  ['suspects', ({ snapshot: { suspects } }) => suspects.length > 0],
] as const satisfies readonly (readonly [string, (view: ProviderView) => boolean])[]
export type StateWord = (typeof STATES)[number][0]

export function filterViews(views: readonly ProviderView[], filter: Filter): readonly ProviderView[] {
  const find = filter.find === '' ? () => true : finderOf(filter.find)
  const isIn: (view: ProviderView) => boolean =
    STATES.find(([word]) => word === filter.state)?.[1] ?? (() => true)
  return views.filter(
    (view) =>
      find(view.snapshot.id) && isIn(view) && (filter.group === '' || view.snapshot.group === filter.group),
  )
}

/** How many providers are in each state. */
export const countStates = (views: readonly ProviderView[]): ReadonlyMap<StateWord, number> =>
  new Map(STATES.map(([word, isIn]) => [word, views.filter(isIn).length]))

export const groupNames = (views: readonly ProviderView[]): readonly string[] =>
  [...new Set(views.map(({ snapshot }) => snapshot.group))].filter((name) => name !== '').sort()
