import * as v from 'valibot'
import type { CommonProbeSettings } from '../../model/probe.js'
import { clash, type Problem } from '../check.js'
import { DEFAULTS } from '../defaults.js'
import { DAY, whole } from '../fields.js'

const d = DEFAULTS.probe

/** 10 ms: below that a probe would measure the queue rather than the provider. */
export const interval = () => whole(10, DAY)

/** The fields that every kind of probe has. */
export const COMMON = {
  intervalMs: v.optional(interval(), d.intervalMs),
  timeoutMs: v.optional(whole(1, DAY)),
  suspiciousIntervalMs: v.optional(interval()),
  downIntervalMs: v.optional(interval()),
  healthyAfter: v.optional(whole(1, 1_000), d.healthyAfter),
  unhealthyAfter: v.optional(whole(1, 1_000), d.unhealthyAfter),
}

/** The fields of the kinds that wait for an answer. */
export const ANSWERING = { ...COMMON, degradedMs: v.optional(whole(1, DAY)) }

/** Parsed fields: an optional one may be undefined, and the timeout has no default yet. */
type Parsed<T> = { readonly [K in keyof T]: T[K] | (undefined extends T[K] ? undefined : never) }
type Times = Parsed<Omit<CommonProbeSettings, 'timeoutMs'>> & { readonly timeoutMs?: number | undefined }

/** The same without the fields that are undefined. */
export type Settled<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }

export function settled<T extends object>(given: T): Settled<T> {
  const kept: Record<string, unknown> = {}
  // A plain loop, because thousands of providers may be registered at once.
  for (const [key, value] of Object.entries(given)) if (value !== undefined) kept[key] = value
  // Only undefined is left out, as the type says.
  return kept as Settled<T>
}

/** Adds the timeout that follows from the intervals, and leaves out fields that were not given. */
export function complete<T extends Times>(probe: T): Settled<T> & { timeoutMs: number } {
  const timeoutMs = probe.timeoutMs ?? Math.min(d.timeoutMs, shortest(probe).ms)
  return { ...settled(probe), timeoutMs }
}

const INTERVALS = ['intervalMs', 'suspiciousIntervalMs', 'downIntervalMs'] as const

function shortest(probe: Times): { readonly name: string; readonly ms: number } {
  let [name, ms]: [string, number] = ['intervalMs', probe.intervalMs]
  for (const other of INTERVALS) {
    const otherMs = probe[other]
    if (otherMs !== undefined && otherMs < ms) [name, ms] = [other, otherMs]
  }
  return { name, ms }
}

type Complete = Times & { readonly timeoutMs: number; readonly degradedMs?: number | undefined }

/** Finds times that contradict each other. */
export function clashOfTimes(probe: Complete): Problem | undefined {
  const { degradedMs, intervalMs, suspiciousIntervalMs, timeoutMs } = probe
  if (suspiciousIntervalMs !== undefined && suspiciousIntervalMs > intervalMs) {
    const both = `suspiciousIntervalMs ${suspiciousIntervalMs} is longer than intervalMs ${intervalMs}`
    return clash(['suspiciousIntervalMs'], `${both}: suspicion would make probes rarer`)
  }
  const { name, ms } = shortest(probe)
  if (timeoutMs > ms)
    return clash(
      ['timeoutMs'],
      `timeoutMs ${timeoutMs} is longer than ${name} ${ms}: two probes would overlap`,
    )
  if (degradedMs !== undefined && degradedMs >= timeoutMs) {
    const both = `degradedMs ${degradedMs} is not below timeoutMs ${timeoutMs}`
    return clash(['degradedMs'], `${both}: no answer could be degraded`)
  }
  return undefined
}
