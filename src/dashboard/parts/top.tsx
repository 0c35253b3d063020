import { formatDuration, formatTime } from '../../view/format.js'
import { useLive, useNow, useStores } from '../store/hooks.js'
import { VIEWS, type Route } from '../store/route.js'
import { standing, type Standing } from '../store/standing.js'

/** Whose fleet, which view, and how old what is shown is. */
export function Top({ route }: { route: Route }) {
  const { about } = useStores()
  const here = route.view === 'provider' ? 'fleet' : route.view
  return (
    <header class="top">
      <a class="title" href="#/">
        <bdi>{about.title}</bdi>
      </a>
      {about.environment === '' ? null : <bdi class="badge">{about.environment}</bdi>}
      <nav aria-label="Views">
        {VIEWS.map(({ view, hash, name }) => (
          <a key={view} href={hash} aria-current={here === view ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <Age />
    </header>
  )
}

function Age() {
  const { fleet, link } = useLive()
  const now = useNow()
  const { kind } = standing(fleet, link, now)
  // The clock ticks once a second: a reading may be newer than that.
  const seconds = Math.max(0, Math.floor((now - fleet.readAt) / 1_000))
  const age = fleet.readAt === 0 ? null : `${formatDuration(seconds * 1_000)} old`
  // Another word is another element, so that nothing moves when it comes.
  return (
    <p key={kind} class={`age ${kind === 'live' ? 'good' : 'warn'}`} title="how old what is shown is">
      <span class="number">{age?.replace('0ms', '0s')}</span>
      <span class="dot" aria-hidden="true" />
      <span class="words">
        {kind === 'live' ? 'live' : kind === 'connecting' ? 'connecting' : 'not live'}
      </span>
    </p>
  )
}

const says = (now: Standing): string => {
  switch (now.kind) {
    case 'live':
    case 'connecting':
      return ''
    case 'store_lost':
      return `Redis has not answered since ${formatTime(now.since)}. Workers decide by what they know. What is shown is from before.`
    case 'unlinked':
      return 'The connection to Busbar is lost; it is tried again. What is shown is old.'
    case 'old':
      return 'Redis was not read for 15 s or more: what is shown is old.'
    case 'unauthorized':
      return 'You are not signed in any more, so that nothing new is shown. Load this page again.'
    case 'forbidden':
      return 'You may not read this fleet.'
    default:
      return now satisfies never
  }
}

/** Above everything, while what is shown is not how things are. */
export function Banner() {
  const { fleet, link } = useLive()
  const now = useNow()
  const stores = useStores()
  const state = standing(fleet, link, now)
  const text = says(state)
  const refused = state.kind === 'unauthorized' || state.kind === 'forbidden'
  return (
    <div role="alert" class={text === '' ? 'banner none' : 'banner'}>
      {text === '' ? null : text}
      {refused ? (
        <>
          {' '}
          <button type="button" onClick={() => stores.fleet.retry()}>
            Try again
          </button>{' '}
          <a href="./">Load again</a>
        </>
      ) : null}
    </div>
  )
}
