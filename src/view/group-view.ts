import { groupHealthOf, type GroupHealth } from '../index.js'
import { plural } from './format.js'
import type { Paints } from './paint.js'
import { blocksOfAll, type ProviderView } from './provider-view.js'

/** A group of providers at one moment. */
export interface GroupView {
  readonly name: string
  readonly health: GroupHealth
  readonly members: readonly string[]
  /** Ids of the members that admit calls. */
  readonly admissible: readonly string[]
}

/** The groups of these providers, by name. `views`: of every member, also of those that a list leaves out. */
export function groupsOf(views: readonly ProviderView[]): GroupView[] {
  const names = [...new Set(views.map(({ snapshot }) => snapshot.group))].filter((name) => name !== '')
  return names.sort().map((name) => groupOf(name, views))
}

/** A group without members is exhausted. */
export function groupOf(name: string, views: readonly ProviderView[]): GroupView {
  const members = views.filter(({ snapshot }) => snapshot.group === name)
  const admits = ({ snapshot }: ProviderView) => !snapshot.enforce || blocksOfAll(snapshot).length === 0
  return {
    name,
    health: groupHealthOf(
      members.map((view) => ({ health: view.snapshot.health, admissible: admits(view) })),
    ),
    members: members.map(({ snapshot }) => snapshot.id),
    admissible: members.filter(admits).map(({ snapshot }) => snapshot.id),
  }
}

/** `group llm: degraded, 1 of 2 members admits calls` */
export function groupLine({ name, health, members, admissible }: GroupView, paints: Paints): string {
  const verb = admissible.length === 1 ? 'admits' : 'admit'
  const counts = `${admissible.length} of ${plural(members.length, 'member')} ${verb} calls`
  return `group ${name}: ${paintGroupHealth(paints, health)}, ${counts}`
}

export function paintGroupHealth(paints: Paints, health: GroupHealth): string {
  switch (health) {
    case 'ok':
      return paints.green(health)
    case 'degraded':
      return paints.yellow(health)
    case 'exhausted':
      return paints.red(health)
    default:
      return health satisfies never
  }
}
