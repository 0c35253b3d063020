import { lookup } from 'node:dns'
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import { serverName } from '../config/server-name.js'
import { innerParts } from './internals.js'

/**
 * Has each TLS handshake of `client` ask for the name of its host (SNI), which ioredis leaves out: a server with
 * several names then shows the certificate of another. A `servername` among the options of TLS stays as it is. To be called
 * before the client connects, for a client, a node of a Cluster, or one that asks Sentinels.
 */
export function askForServerName(client: Redis): void {
  const { options } = client
  if ((options.sentinels ?? undefined) !== undefined) askWithSentinels(client)
  else if (options.host !== undefined && (options.path ?? undefined) === undefined)
    options.tls = withName(options.tls, options.host)
}

type Tls = RedisOptions['tls']

/** A new object: a Cluster gives one and the same to all its nodes. An address has `true` where the options have `{}`. */
function withName(tls: Tls, host: string): Tls {
  const servername = serverName(host)
  return tls && servername !== undefined ? { ...tls, servername: tls.servername ?? servername } : tls
}

/** The host of the master is known once a Sentinel has named it. */
function askWithSentinels(client: Redis): void {
  const { connector } = innerParts(client)
  const { sentinelTLS } = client.options
  const resolve = connector?.resolve?.bind(connector)
  if (connector !== undefined && resolve !== undefined) {
    connector.resolve = async (endpoint) => {
      const master = await resolve(endpoint)
      const servername = master && serverName(master.host)
      // The options of TLS are put over it, and may have a name of their own.
      return master && servername !== undefined ? { ...master, servername } : master
    }
  }
  const connectToSentinel = connector?.connectToSentinel?.bind(connector)
  if (connector !== undefined && connectToSentinel !== undefined && sentinelTLS) {
    connector.connectToSentinel = (endpoint, options) =>
      connectToSentinel(endpoint, { ...options, tls: withName(sentinelTLS, endpoint.host) })
  }
}

/**
 * Keeps the names of the nodes that a Cluster is first asked at, where TLS is spoken. ioredis resolves them beforehand, and
 * the certificate would have to hold the address.
 */
export function namesOfNodes({ tls }: Pick<RedisOptions, 'tls'>): Pick<ClusterOptions, 'dnsLookup'> {
  return tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}
}

/** The same for a duplicate of a Cluster client, unless its owner resolves names in a way of their own. */
export function namesOfDuplicate({ options }: Cluster): Pick<ClusterOptions, 'dnsLookup'> {
  const { dnsLookup = lookup, redisOptions = {} } = options
  return dnsLookup === lookup ? namesOfNodes(redisOptions) : {}
}
