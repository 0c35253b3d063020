import type { Planned, ProbeQueueState, ProbeSchedules } from '../index.js'
import { LATE_MS, type ProviderView } from './provider-view.js'

/** A provider with a probe. */
export interface ScheduleRow {
  readonly view: ProviderView
  /** Undefined: no worker has planned it. */
  readonly plan: Planned | undefined
  /** Why the queue of its probes gives none to a worker. */
  readonly held: 'paused' | 'no_worker' | null
  readonly overdue: boolean
}

/** The providers that are to be probed, the longest overdue first, then by when the next probe comes. */
export function scheduleRows(
  views: readonly ProviderView[],
  { planned, queues }: ProbeSchedules,
): ScheduleRow[] {
  const plans = new Map(planned.map((plan) => [plan.id, plan]))
  return views
    .filter(({ snapshot }) => snapshot.probeIntervalMs !== null)
    .map((view) => rowOf(view, plans.get(view.snapshot.id), queues))
    .sort((a, b) => rank(a) - rank(b))
}

function rowOf(
  view: ProviderView,
  plan: Planned | undefined,
  queues: readonly ProbeQueueState[],
): ScheduleRow {
  const late = plan === undefined || plan.lateMs > LATE_MS
  const queue = queues.find((one) => one.queue === plan?.queue)
  const unserved = queue?.hasWorker === false ? 'no_worker' : null
  return {
    view,
    plan,
    held: queue?.paused === true ? 'paused' : unserved,
    overdue: view.snapshot.stale || late,
  }
}

/** The overdue first, then by when the next probe comes. */
const rank = ({ plan, overdue }: ScheduleRow): number =>
  overdue ? -1e15 - (plan?.lateMs ?? 0) : (plan?.nextInMs ?? 0) - (plan?.lateMs ?? 0)

/** A row for a program. */
export function scheduleJson({ view: { snapshot }, plan, held, overdue }: ScheduleRow): object {
  const { id, lastProbeAt, lastProbeStatus, lastProbeDetail, at, probeIntervalMs } = snapshot
  return {
    id,
    intervalMs: plan?.intervalMs ?? probeIntervalMs,
    planned: plan !== undefined,
    nextInMs: plan?.nextInMs ?? null,
    lateMs: plan?.lateMs ?? null,
    why: plan?.why ?? null,
    queue: plan?.queue ?? null,
    held,
    overdue,
    last:
      lastProbeAt === null
        ? null
        : { status: lastProbeStatus, detail: lastProbeDetail, agoMs: at - lastProbeAt },
  }
}
