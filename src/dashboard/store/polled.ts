import { useEffect, useState } from 'preact/hooks'
import type { Problem } from './api.js'

/** The result of a request that is made again and again. The last value stays when one fails. */
export interface Polled<T> {
  readonly value: T | undefined
  readonly problem: Problem | undefined
}

/** Asks while the view is open and its tab is shown; at once when it is shown again. `pauseMs`: until the next request. */
export function usePolled<T>(run: () => Promise<T>, pauseMs: (value: T | undefined) => number): Polled<T> {
  const [state, setState] = useState<Polled<T>>({ value: undefined, problem: undefined })
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking = false
    let open = true
    const settle = (next: (last: Polled<T>) => Polled<T>, value: T | undefined) => {
      asking = false
      if (!open) return
      setState(next)
      timer = setTimeout(ask, pauseMs(value))
    }
    const ask = () => {
      clearTimeout(timer)
      if (document.hidden || asking || !open) return
      asking = true
      run().then(
        (value) => settle(() => ({ value, problem: undefined }), value),
        // Requests reject with problems alone.
        (problem: unknown) => settle((last) => ({ ...last, problem: problem as Problem }), undefined),
      )
    }
    ask()
    document.addEventListener('visibilitychange', ask)
    return () => {
      open = false
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [])
  return state
}
