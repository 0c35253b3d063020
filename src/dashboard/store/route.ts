/** Which view the address names, behind its `#`: so that every view, with its filter, is a link that can be sent. */
export type Route =
  | { readonly view: 'fleet'; readonly filter: Filter }
  | { readonly view: 'provider'; readonly id: string }
  | { readonly view: 'groups' | 'schedules' | 'matrix' }

/** The filter of the list of providers; an empty text leaves nothing out. */
export interface Filter {
  /** A part of an id, or a pattern with `*` and `?`. */
  readonly find: string
  /** A word of health, of the circuit, or `marked`, `overdue`, `suspects`. */
  readonly state: string
  readonly group: string
}

export const NO_FILTER: Filter = { find: '', state: '', group: '' }

/** The views that the navigation names, in its order. */
export const VIEWS = [
  { view: 'fleet', hash: '#/', name: 'Fleet' },
  { view: 'matrix', hash: '#/matrix', name: 'Workers' },
  { view: 'groups', hash: '#/groups', name: 'Groups' },
  { view: 'schedules', hash: '#/schedules', name: 'Schedules' },
] as const

const PROVIDER = '#/provider/'

export function routeOf(hash: string): Route {
  if (hash.startsWith(PROVIDER)) return { view: 'provider', id: decode(hash.slice(PROVIDER.length)) }
  const [path = '', query = ''] = hash.split('?', 2)
  const named = VIEWS.find((each) => each.hash === path)
  if (named !== undefined && named.view !== 'fleet') return { view: named.view }
  const asked = new URLSearchParams(query)
  const text = (name: keyof Filter) => (asked.get(name) ?? '').slice(0, MAX_LETTERS)
  return { view: 'fleet', filter: { find: text('find'), state: text('state'), group: text('group') } }
}

export function fleetHash(filter: Filter): string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, text]) => text !== ''))
  return query.size === 0 ? '#/' : `#/?${query.toString()}`
}

export const providerHash = (id: string): string => PROVIDER + encodeURIComponent(id)

const MAX_LETTERS = 128

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // an address that was cut: there is no such provider, and the page says so
  }
}
