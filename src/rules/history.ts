import type { HistorySettings } from '../model/settings.js'
import { isSuccess, type HealthStatus } from '../model/words.js'

/**
 * The sliding history of one provider: runs of equal outcomes, oldest first.
 *
 * A run grows while it is the newest and younger than a 200th of the window; its time is that of its first
 * outcome and never moves. So cost and memory follow runs, not calls, and counts are exact. When there are
 * many runs, the oldest are coalesced per status in buckets of a 200th of the window. Recent runs keep their
 * exact order, and the rest takes bounded memory. `lua/lib/history.lua` does the same in a sorted set.
 */
export interface HistoryLog {
  runs: HistoryRun[]
  total: number
  healthy: number
  failed: number
  /** Runs from before this time, ms, are coalesced already. */
  coalescedToMs: number
}

export interface HistoryRun {
  readonly seq: number
  readonly status: HealthStatus
  readonly count: number
  readonly atMs: number
}

/** Stale runs that one write evicts at most. */
const EVICT_LIMIT = 1_000
/** Runs above which the oldest are coalesced. */
const COALESCE_ABOVE = 1_000
/** ... once this many are not coalesced yet, so that the work comes in lumps and not at every write; */
const FRESH_ABOVE = 750
/** ... and this many stay as they are. */
const KEEP_FRESH = 500
/** ... and no more than this many are looked at in one write. */
const COALESCE_LIMIT = 2_000

export const newHistory = (): HistoryLog => ({ runs: [], total: 0, healthy: 0, failed: 0, coalescedToMs: 0 })

/** A 200th of the window: how long a run grows, and how wide a bucket is. */
export const bucketMs = (settings: HistorySettings): number =>
  Math.max(1, Math.floor(settings.windowMs / 200))

export interface OutcomeRun {
  readonly status: HealthStatus
  readonly count: number
  /** How long ago, ms. */
  readonly ageMs: number
}

/** Before the runs of a batch: evicts runs older than the window. Changes `log`. */
export function beginBatch(log: HistoryLog, nowMs: number, settings: HistorySettings): void {
  evictStale(log, nowMs - settings.windowMs)
}

/**
 * Writes one run of outcomes. It enters at its time, but never before the newest run: the history grows at its end
 * only. Changes `log`. False when the newest run grew instead.
 */
export function append(log: HistoryLog, run: OutcomeRun, nowMs: number, settings: HistorySettings): boolean {
  const newest = log.runs.at(-1)
  const atMs = Math.max(nowMs - run.ageMs, newest?.atMs ?? 0)
  add(log, run.status, run.count)
  if (newest !== undefined && newest.status === run.status && atMs - newest.atMs < bucketMs(settings)) {
    log.runs[log.runs.length - 1] = { ...newest, count: newest.count + run.count }
    return false
  }
  log.runs.push({ seq: (newest?.seq ?? 0) + 1, status: run.status, count: run.count, atMs })
  return true
}

/** After the runs of a batch: evicts what exceeds `maxRecords`, and coalesces old runs. Changes `log`. */
export function endBatch(log: HistoryLog, addedRuns: boolean, settings: HistorySettings): void {
  evictExcess(log, settings.maxRecords)
  if (addedRuns) coalesce(log, bucketMs(settings))
}

function add(log: HistoryLog, status: HealthStatus, count: number): void {
  log.total += count
  if (status === 'healthy') log.healthy += count
  else if (!isSuccess(status)) log.failed += count
}

/** A run exactly as old as the window stays. If even the newest is too old, everything goes at once. */
function evictStale(log: HistoryLog, cutoffMs: number): void {
  const newest = log.runs.at(-1)
  if (newest !== undefined && newest.atMs < cutoffMs) Object.assign(log, newHistory())
  let stale = 0
  for (const run of log.runs) {
    if (run.atMs >= cutoffMs || stale === EVICT_LIMIT) break
    add(log, run.status, -run.count)
    stale += 1
  }
  log.runs.splice(0, stale)
}

/** Takes the oldest outcomes until `maxRecords` are left; may split a run. */
function evictExcess(log: HistoryLog, maxRecords: number): void {
  while (log.total > maxRecords) {
    const [oldest] = log.runs
    if (oldest === undefined) return
    const taken = Math.min(oldest.count, log.total - maxRecords)
    add(log, oldest.status, -taken)
    if (taken === oldest.count) log.runs.shift()
    else log.runs[0] = { ...oldest, count: oldest.count - taken }
  }
}

function coalesce(log: HistoryLog, widthMs: number): void {
  if (log.runs.length <= COALESCE_ABOVE) return
  const first = log.runs.findIndex((run) => run.atMs >= log.coalescedToMs)
  const fresh = log.runs.length - first
  if (first < 0 || fresh <= FRESH_ABOVE) return
  const old = log.runs.slice(first, first + Math.min(fresh - KEEP_FRESH, COALESCE_LIMIT))
  const merged = new Map<string, HistoryRun>()
  for (const run of old) {
    const group = `${Math.floor(run.atMs / widthMs)}:${run.status}`
    const into = merged.get(group)
    merged.set(group, into === undefined ? run : { ...into, count: into.count + run.count })
    log.coalescedToMs = Math.floor(run.atMs / widthMs) * widthMs
  }
  log.runs.splice(first, old.length, ...merged.values())
}

/** The history for a reader: stale runs do not count, though they may still be stored. */
export interface HistoryView {
  readonly runs: readonly HistoryRun[]
  readonly total: number
  readonly healthy: number
  readonly failed: number
  readonly windowCoveredMs: number
}

export function view(log: HistoryLog, nowMs: number, settings: HistorySettings): HistoryView {
  const cutoffMs = nowMs - settings.windowMs
  const live = log.runs.filter((run) => run.atMs >= cutoffMs)
  const stale = log.runs.filter((run) => run.atMs < cutoffMs)
  const left = { ...log, runs: [] }
  for (const run of stale) add(left, run.status, -run.count)
  const { total, healthy, failed } = left
  const [oldest] = live
  const full = total >= settings.maxRecords && oldest !== undefined
  const windowCoveredMs = full ? nowMs - oldest.atMs : settings.windowMs
  return { runs: live, total, healthy, failed, windowCoveredMs }
}
