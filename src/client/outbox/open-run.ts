import type { Run } from '../../model/ports/store-requests.js'

/** A run of equal outcomes that has not been sent, and may still grow. */
export interface OpenRun extends Omit<Run, 'count' | 'generation'> {
  count: number
  /** 0 once it is to decide nothing. */
  generation: number
  /** Successes of calls without a lease. */
  readonly plain: boolean
  /** When its first outcome came, on the process's clock. */
  readonly at: number
}

/** Written out, as `asSent`: strict mode does it for every call, and a spread costs microseconds. */
export const opened = (run: Run, plain: boolean, at: number, generation = run.generation): OpenRun => ({
  origin: run.origin,
  outcome: run.outcome,
  count: run.count,
  generation,
  token: run.token,
  retryAfterMs: run.retryAfterMs,
  settingsRevision: run.settingsRevision,
  markVersion: run.markVersion,
  detail: run.detail,
  ageMs: run.ageMs,
  plain,
  at,
})

/** A run that decides nothing has waited for the store: it is sent with its age, so that the history takes it at its time. */
export const asSent = (run: OpenRun, now: number): Run => ({
  origin: run.origin,
  outcome: run.outcome,
  count: run.count,
  generation: run.generation,
  token: run.token,
  retryAfterMs: run.retryAfterMs,
  settingsRevision: run.settingsRevision,
  markVersion: run.markVersion,
  detail: run.detail,
  ageMs: run.generation === 0 ? Math.max(0, Math.round(now - run.at)) : 0,
})

/** Whether both are of calls, and alike but for their counts. */
export const mergeable = (a: OpenRun, b: Run): boolean =>
  a.origin === 'call' &&
  b.origin === 'call' &&
  a.outcome === b.outcome &&
  a.generation === b.generation &&
  a.token === '' &&
  b.token === '' &&
  a.retryAfterMs === b.retryAfterMs &&
  a.detail === b.detail

export const HEALTHY = {
  origin: 'call',
  outcome: 'healthy',
  count: 1,
  generation: 0,
  token: '',
  retryAfterMs: 0,
  settingsRevision: 0,
  markVersion: 0,
  detail: '',
  ageMs: 0,
} as const

/** No outcome at all. */
export const NOTHING = { ...HEALTHY, outcome: 'ignored', count: 0 } as const
