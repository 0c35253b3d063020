import type { CircuitState, HealthStatus, LaterWord } from '../../model/words.js'
import type { GroupView } from '../../view/group-view.js'

type GroupHealth = GroupView['health']

/** States by colour, shape and word, so that one of the three is enough. */

type Tone = 'good' | 'warn' | 'bad' | 'none'

const HEALTH: Readonly<Record<HealthStatus, { tone: Tone; path: string }>> = {
  healthy: { tone: 'good', path: 'M6 1.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 0 0 0-9.6z' },
  degraded: { tone: 'warn', path: 'M6 .9 11.6 11H.4z' },
  unhealthy: {
    tone: 'bad',
    path: 'M2.5.7 6 4.2 9.5.7l1.8 1.8L7.8 6l3.5 3.5-1.8 1.8L6 7.8l-3.5 3.5L.7 9.5 4.2 6 .7 2.5z',
  },
  timeout: { tone: 'bad', path: 'M1 .8h10v1.9L7.6 6 11 9.3v1.9H1V9.3L4.4 6 1 2.7z' },
  terminated: { tone: 'bad', path: 'M1.3 1.3h9.4v9.4H1.3z' },
}

const UNKNOWN = { tone: 'none', path: 'M1 5h10v2H1z' } as const

/** A word of a later version has a shape of its own, and no colour. */
const healthOf = (word: string) => (Object.hasOwn(HEALTH, word) ? HEALTH[word as HealthStatus] : UNKNOWN)

const Shape = ({ path }: { path: string }) => (
  <svg class="shape" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
    <path d={path} />
  </svg>
)

/** The shape alone, where the word is beside it. */
export function HealthShape({ word }: { word: string }) {
  const { tone, path } = healthOf(word)
  return (
    <span class={`state ${tone}`}>
      <Shape path={path} />
    </span>
  )
}

export function Health({ word }: { word: HealthStatus | LaterWord }) {
  const { tone, path } = healthOf(word)
  return (
    <span class={`state ${tone}`}>
      <Shape path={path} />
      {word}
    </span>
  )
}

const CIRCUIT: Readonly<Record<CircuitState, { tone: Tone; path: string }>> = {
  closed: { tone: 'good', path: 'M1 6h18' },
  half_open: { tone: 'warn', path: 'M1 6h5m2.5-1.2 3-.8m2.5 2h5' },
  open: { tone: 'bad', path: 'M1 6h5l7-4.5M14 6h5' },
}

/** A switch: a whole line, a raised lever, or a lever that is nearly down. */
export function Circuit({ state }: { state: CircuitState }) {
  const { tone, path } = CIRCUIT[state]
  return (
    <span class={`state ${tone}`}>
      <svg class="switch" viewBox="0 0 20 8" width="20" height="8" aria-hidden="true">
        <path d={path} />
      </svg>
      {state}
    </span>
  )
}

const GROUP: Readonly<Record<GroupHealth, HealthStatus>> = {
  ok: 'healthy',
  degraded: 'degraded',
  exhausted: 'unhealthy',
}

export function GroupState({ health }: { health: GroupHealth }) {
  const { tone, path } = HEALTH[GROUP[health]]
  return (
    <span class={`state ${tone}`}>
      <Shape path={path} />
      {health}
    </span>
  )
}
