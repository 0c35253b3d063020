import type { Cluster } from 'ioredis'

/** Calls `listener` whenever the Cluster's nodes, or their roles, are others than before. */
export function watchTopology(cluster: Cluster, listener: () => void): void {
  let known = rolesOf(cluster)
  // Right after a refresh: later on, nodes that do not answer are left out and taken in again.
  cluster.on('refresh', () => {
    const roles = rolesOf(cluster)
    if (roles === known) return
    known = roles
    listener()
  })
}

const rolesOf = (cluster: Cluster): string => `${nodesOf(cluster, 'master')}/${nodesOf(cluster, 'slave')}`

const nodesOf = (cluster: Cluster, role: 'master' | 'slave'): string =>
  cluster
    .nodes(role)
    .map(({ options }) => `${options.host}:${options.port}`)
    .sort()
    .join()
