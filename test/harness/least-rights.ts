import { readFileSync } from 'node:fs'

/** Arguments of ACL that make the user of docs/operations.md, as it is given there. */
export function leastRights(): string[] {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const [, command] = /```\nACL (SETUSER busbar [^`]+)```/.exec(text) ?? []
  return command?.trim().split(/\s+/) ?? []
}

/** What it needs besides on a Cluster, by the same page. */
export const ON_A_CLUSTER = ['+cluster|slots', '+cluster|info', '+readonly']

/** `url` with this user and its password. */
export const asLeast = (url: string): string => url.replace('://', '://busbar:a-long-password@')
