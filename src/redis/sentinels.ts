import type { Redis } from 'ioredis'
import { innerParts } from './internals.js'

/**
 * Mends what ioredis does with Sentinels; does nothing for any other client. Each connection to a Sentinel is handed to
 * `opened`: those that listen for a failover live as long as the client's own.
 *
 * ioredis ends the socket when a Sentinel announces another master. While it looks the master up already, that ended the
 * client for good: "end", and no attempt any more. The lookup needs no help then: a server that is no master is left again.
 */
export function adaptSentinels(client: Redis, opened: (sentinel: Redis) => void): void {
  const { connector } = innerParts(client)
  const connectToSentinel = connector?.connectToSentinel
  if (connector === undefined || connectToSentinel === undefined) return
  connector.connectToSentinel = (...args) => {
    const sentinel = connectToSentinel.apply(connector, args)
    opened(sentinel)
    return sentinel
  }
  const disconnect = connector.disconnect.bind(connector)
  connector.disconnect = () => {
    if (client.status === 'connecting' && !innerParts(client).manuallyClosing) return
    disconnect()
  }
}
