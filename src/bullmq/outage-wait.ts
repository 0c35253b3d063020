import type { ProviderCore } from '../client/provider-core.js'
import { offAbort, onAbort } from '../client/shared/abort-signals.js'
import type { Refusal } from './deferral.js'

/** Waits for the provider to refuse; undefined when it has not after `ms`, or `signal` was aborted. */
export function refusedWithin(
  { readiness, context }: ProviderCore,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<Refusal | undefined> {
  const refusal = (): Refusal | undefined => {
    const outlook = readiness.look()
    return outlook.can === 'wait' ? outlook : undefined
  }
  const now = refusal()
  if (now !== undefined || ms === 0 || signal?.aborted === true) return Promise.resolve(now)
  return new Promise((resolve) => {
    const end = () => {
      timer.clear()
      off()
      if (signal !== undefined) offAbort(signal, end)
      resolve(signal?.aborted === true ? undefined : refusal())
    }
    const timer = context.timers.set(ms, end)
    const off = readiness.watch(() => {
      if (refusal() !== undefined || readiness.ended !== undefined) end()
    })
    if (signal !== undefined) onAbort(signal, end)
  })
}
