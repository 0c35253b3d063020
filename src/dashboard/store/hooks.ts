import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { About } from './about.js'
import type { Problem } from './api.js'
import { Clock } from './clock.js'
import { Histories } from './histories.js'
import { LiveFleet, type Live } from './live-fleet.js'

/** Services of every view. One of each for the page. */
export interface Stores {
  readonly about: About
  readonly fleet: LiveFleet
  readonly clock: Clock
  readonly histories: Histories
}

export const startStores = (about: About): Stores => {
  const stores = { about, fleet: new LiveFleet(), clock: new Clock(), histories: new Histories() }
  stores.fleet.start()
  stores.clock.start()
  return stores
}

export const StoresContext = createContext<Stores | undefined>(undefined)

export function useStores(): Stores {
  const stores = useContext(StoresContext)
  if (stores === undefined) throw new Error('outside of the page')
  return stores
}

/** The fleet; draws again when it has changed. */
export function useLive(): Live {
  const { fleet } = useStores()
  const [live, setLive] = useState(fleet.live)
  useEffect(() => {
    setLive(fleet.live)
    return fleet.subscribe(() => {
      if (!document.hidden) setLive(fleet.live)
    })
  }, [fleet])
  return live
}

/** ms since 1970; draws again every second. */
export function useNow(): number {
  const { clock } = useStores()
  const [now, setNow] = useState(clock.now)
  useEffect(() => clock.subscribe(() => setNow(clock.now)), [clock])
  return now
}

/** The result of a request. The former value stays while it is made again. */
export interface Asked<T> {
  readonly value: T | undefined
  readonly problem: Problem | undefined
  readonly again: () => void
}

/** Asks when `key` changes, and on `again`; `run` may change with every drawing. */
export function useAsked<T>(key: string, run: () => Promise<T>): Asked<T> {
  const [state, setState] = useState<{ key: string; value?: T; problem?: Problem }>({ key })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let wanted = true
    run().then(
      (value) => wanted && setState({ key, value }),
      // Requests reject with problems alone.
      (problem: unknown) => wanted && setState((was) => ({ ...was, key, problem: problem as Problem })),
    )
    return () => {
      wanted = false
    }
  }, [key, turn])
  const again = useCallback(() => setTurn((last) => last + 1), [])
  const mine = state.key === key
  return { value: mine ? state.value : undefined, problem: mine ? state.problem : undefined, again }
}

/** As `useAsked`; asks again when `stamp` has changed, at most once in `everyMs`. */
export function useFresh<T>(
  key: string,
  { stamp, everyMs, run }: { stamp: number; everyMs: number; run: () => Promise<T> },
): Asked<T> {
  const asked = useAsked(key, run)
  const now = useNow()
  const last = useRef({ key, stamp, at: now })
  const { again } = asked
  useEffect(() => {
    const { current } = last
    const changed = current.stamp !== stamp && now - current.at >= everyMs
    if (current.key === key && !changed) return
    last.current = { key, stamp, at: now }
    if (current.key === key) again()
  }, [key, stamp, now, everyMs, again])
  return asked
}
