import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Banner, Top } from './parts/top.js'
import type { About } from './store/about.js'
import { startStores, StoresContext, useStores } from './store/hooks.js'
import { routeOf, type Route } from './store/route.js'
import { tabTitle } from './store/title.js'
import { Fleet } from './views/fleet.js'
import { Groups } from './views/groups.js'
import { Matrix } from './views/matrix.js'
import { Provider } from './views/provider.js'
import { Schedules } from './views/schedules.js'

export function App({ about }: { about: About }) {
  const stores = useMemo(() => startStores(about), [about])
  const route = useRoute()
  return (
    <StoresContext.Provider value={stores}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Top route={route} />
      <Banner />
      <View route={route} />
      <Foot />
      <Title route={route} />
    </StoresContext.Provider>
  )
}

/** The address after `#` is that of a view, so that the focus is moved by hand. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'fleet':
      return <Fleet filter={route.filter} />
    case 'provider':
      return <Provider key={route.id} id={route.id} />
    case 'matrix':
      return <Matrix />
    case 'groups':
      return <Groups />
    case 'schedules':
      return <Schedules />
    default:
      return route satisfies never
  }
}

function Foot() {
  const { about } = useStores()
  return (
    <footer>
      <span>
        namespace <bdi>{about.namespace}</bdi>
      </span>
      <span>
        {about.readOnly ? 'read-only' : 'you are'} {about.readOnly ? '' : <bdi>{about.actor}</bdi>}
      </span>
      <span>Busbar {about.version}</span>
      <a href="api/openapi.json">API</a>
    </footer>
  )
}

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => setHash(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return useMemo(() => routeOf(hash), [hash])
}

/** The title of the tab, also while it is hidden; and the focus, when another view is shown. */
function Title({ route }: { route: Route }) {
  const { about, fleet } = useStores()
  const place = route.view === 'provider' ? `provider ${route.id}` : route.view
  const first = useRef(true)
  useEffect(() => {
    const tell = () => {
      document.title = tabTitle(about, place, fleet.live.views)
    }
    tell()
    return fleet.subscribe(tell)
  }, [about, fleet, place])
  useEffect(() => {
    if (first.current) first.current = false
    else {
      scrollTo(0, 0)
      document.getElementById('main')?.focus({ preventScroll: true })
    }
  }, [place])
  return null
}
