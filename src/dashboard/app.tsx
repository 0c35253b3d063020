import { useEffect, useState } from 'preact/hooks'
import type { About } from './store/about.js'
import { routeOf, VIEWS, type Route } from './store/route.js'
import { Fleet } from './views/fleet.js'
import { Groups } from './views/groups.js'
import { Matrix } from './views/matrix.js'
import { Provider } from './views/provider.js'
import { Schedules } from './views/schedules.js'

export function App({ about }: { about: About; sentence: string }) {
  const route = useRoute()
  return (
    <>
      <nav aria-label="Views">
        <b>{about.title}</b>
        {VIEWS.map(({ view, hash, name }) => (
          <a key={view} href={hash} aria-current={route.view === view ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <View route={route} />
    </>
  )
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'fleet':
      return <Fleet />
    case 'provider':
      return <Provider />
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

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => setHash(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return routeOf(hash)
}
