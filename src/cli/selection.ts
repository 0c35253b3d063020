import type { Command } from 'commander'
import type { Busbar } from '../index.js'
import { groupOf, groupsOf, type GroupView } from '../view/group-view.js'
import { isHealthy, matcherOf, worstFirst } from '../view/provider-list.js'
import { readAll, type ProviderView, type Unreadable } from '../view/provider-view.js'

/** Which of a fleet's providers a list shows. */
export interface Selection {
  /** An id, or a pattern such as `open*`; none: all. */
  readonly pattern?: string | undefined
  /** Only those that are not healthy. */
  readonly unhealthy?: boolean | undefined
  /** Only the members of this group. */
  readonly group?: string | undefined
}

export const withSelection = (command: Command): Command =>
  command.option('--unhealthy', 'only those that are not healthy: degraded, unhealthy, terminated')

/** The providers that `busbar status` and `busbar watch` show, and facts about all of them. */
export interface FleetView {
  /** The worst first. */
  readonly views: readonly ProviderView[]
  /** Providers that are registered and cannot be read. */
  readonly unreadable: readonly Unreadable[]
  /** Number of providers read; more than `views` when the healthy ones are left out. */
  readonly read: number
  /** Paused probe queues: none of their probes runs. */
  readonly pausedQueues: readonly string[]
  /** The groups of the providers read, or the one that was asked for. */
  readonly groups: readonly GroupView[]
}

export async function readFleet(busbar: Busbar, selection: Selection = {}): Promise<FleetView> {
  const { pattern, unhealthy, group } = selection
  const [{ views: found, unreadable }, pausedQueues] = await Promise.all([
    readAll(busbar, pattern === undefined ? undefined : matcherOf(pattern)),
    busbar.pausedProbeQueues(),
  ])
  const all = group === undefined ? found : found.filter(({ snapshot }) => snapshot.group === group)
  const groups = group === undefined ? groupsOf(all) : [groupOf(group, all)]
  const views = unhealthy === true ? all.filter((view) => !isHealthy(view)) : all
  return { views: worstFirst(views), unreadable, read: all.length, pausedQueues, groups }
}
