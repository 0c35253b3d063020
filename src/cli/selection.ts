import type { Command } from 'commander'
import type { Busbar } from '../index.js'
import { isHealthy, matcherOf, worstFirst } from '../view/provider-list.js'
import { readAll, type ProviderView, type Unreadable } from '../view/provider-view.js'

/** Which of a fleet's providers a list shows. */
export interface Selection {
  /** An id, or a pattern such as `open*`; none: all. */
  readonly pattern?: string | undefined
  /** Only those that are not healthy. */
  readonly unhealthy?: boolean | undefined
}

export const withSelection = (command: Command): Command =>
  command.option('--unhealthy', 'only those that are not healthy: degraded, unhealthy, terminated')

/** What `busbar status` and `busbar watch` show: the providers chosen, and what is true of all of them. */
export interface FleetView {
  /** The worst first. */
  readonly views: readonly ProviderView[]
  /** Those that are registered and cannot be read. */
  readonly unreadable: readonly Unreadable[]
  /** How many were read; more than `views` where only those that are not healthy are shown. */
  readonly read: number
  /** Probe queues that somebody paused: nothing is probed from them. */
  readonly pausedQueues: readonly string[]
}

export async function readFleet(busbar: Busbar, { pattern, unhealthy }: Selection = {}): Promise<FleetView> {
  const [{ views: all, unreadable }, pausedQueues] = await Promise.all([
    readAll(busbar, pattern === undefined ? undefined : matcherOf(pattern)),
    busbar.pausedProbeQueues(),
  ])
  const views = unhealthy === true ? all.filter((view) => !isHealthy(view)) : all
  return { views: worstFirst(views), unreadable, read: all.length, pausedQueues }
}
