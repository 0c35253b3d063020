import type { CommonProbeSettings } from '../../model/probe.js'
import { DEFAULTS } from '../defaults.js'
import { complete, DAY, whole } from '../fields.js'
import { object, optional, refine, withDefault, type OutputOf, type Schema, type Shape } from '../schema.js'

const d = DEFAULTS.probe

/** 10 ms: below that a probe would measure the queue rather than the provider. */
export const interval = () => whole(10, DAY)

/** The fields that every kind of probe has. */
export const COMMON = {
  intervalMs: withDefault(interval(), d.intervalMs),
  timeoutMs: optional(whole(1, DAY)),
  suspiciousIntervalMs: optional(interval()),
  downIntervalMs: optional(interval()),
  healthyAfter: withDefault(whole(1, 1_000), d.healthyAfter),
  unhealthyAfter: withDefault(whole(1, 1_000), d.unhealthyAfter),
}

/** Of the kinds that wait for an answer. */
export const ANSWERING = { ...COMMON, degradedMs: optional(whole(1, DAY)) }

/** As parsed: the timeout has no default yet. */
type Times = Omit<CommonProbeSettings, 'timeoutMs'> & {
  readonly timeoutMs?: number
  readonly degradedMs?: number
}

/** A kind of probe: `COMMON` or `ANSWERING`, and what it has of its own. */
export const probeOf = <S extends typeof COMMON & Shape>(
  shape: S,
): Schema<OutputOf<S> & { readonly timeoutMs: number }> =>
  refine(object(shape), (probe) => {
    // Every kind has the fields of `COMMON`.
    const times = probe as Times
    const timeoutMs = times.timeoutMs ?? Math.min(d.timeoutMs, shortest(times).ms)
    checkTimes(times, timeoutMs)
    return { ...probe, timeoutMs }
  })

const INTERVALS = ['intervalMs', 'suspiciousIntervalMs', 'downIntervalMs'] as const

function shortest(probe: Times): { readonly name: string; readonly ms: number } {
  let [name, ms]: [string, number] = ['intervalMs', probe.intervalMs]
  for (const other of INTERVALS) {
    const otherMs = probe[other]
    if (otherMs !== undefined && otherMs < ms) [name, ms] = [other, otherMs]
  }
  return { name, ms }
}

/** Refuses times that make no sense together. */
function checkTimes(probe: Times, timeoutMs: number): void {
  const { degradedMs, intervalMs, suspiciousIntervalMs } = probe
  if (suspiciousIntervalMs !== undefined && suspiciousIntervalMs > intervalMs) {
    const both = `suspiciousIntervalMs ${suspiciousIntervalMs} is longer than intervalMs ${intervalMs}`
    throw complete(`${both}: suspicion would make probes rarer`, 'suspiciousIntervalMs')
  }
  const { name, ms } = shortest(probe)
  if (timeoutMs > ms) {
    const both = `timeoutMs ${timeoutMs} is longer than ${name} ${ms}`
    throw complete(`${both}: two probes would overlap`, 'timeoutMs')
  }
  if (degradedMs !== undefined && degradedMs >= timeoutMs) {
    const both = `degradedMs ${degradedMs} is not below timeoutMs ${timeoutMs}`
    throw complete(`${both}: no answer could be degraded`, 'degradedMs')
  }
}
