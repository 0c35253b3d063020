import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'

/**
 * One listener on an AbortSignal, however many calls wait for it: a process often has one signal for its whole life, and
 * Node warns of a leak from the eleventh listener on. The listener goes with the last of them.
 */
const waiting = new WeakMap<AbortSignal, Waiting>()

interface Waiting {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

/** Calls `callback` once when `signal` is aborted, unless `offAbort` came before. For a signal that is not aborted yet. */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  const known = waiting.get(signal)
  if (known !== undefined) {
    known.callbacks.add(callback)
    return
  }
  const callbacks = new Set([callback])
  const listener = () => {
    waiting.delete(signal)
    for (const call of callbacks) call()
  }
  waiting.set(signal, { callbacks, listener })
  signal.addEventListener('abort', listener, { once: true })
}

export function offAbort(signal: AbortSignal, callback: () => void): void {
  const known = waiting.get(signal)
  if (known === undefined) return
  known.callbacks.delete(callback)
  if (known.callbacks.size > 0) return
  waiting.delete(signal)
  signal.removeEventListener('abort', known.listener)
}

/** As `offAbort`, but only when `stream` has been closed, or cannot be read any more. `callback` must not reach it. */
export function offAbortWith(stream: object, signal: AbortSignal, callback: () => void): void {
  const off = offOf(signal, callback)
  // A web stream does not say when it was read to its end: it is waited until it is gone.
  unread.register(stream, off)
  const once: unknown = Reflect.get(stream, 'once')
  if (typeof once === 'function') Reflect.apply(once, stream, ['close', off])
}

/** Apart: a closure made above would hold the stream, and the registry never see it go. */
const offOf = (signal: AbortSignal, callback: () => void) => () => offAbort(signal, callback)

const unread = new FinalizationRegistry<() => void>((off) => off())

/** By structure: one of another realm, or of a polyfill, is as good. @throws ArgumentError */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  const isObject = typeof signal === 'object' && signal !== null
  if (isObject && 'throwIfAborted' in signal && 'addEventListener' in signal) return
  throw new ArgumentError('signal', `signal: expected an AbortSignal, got ${show(signal)}`)
}
