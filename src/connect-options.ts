import type { Logger } from './client/shared/log.js'
import type { Consistency, OnRedisDown } from './config/options.js'
import type { SettingsInput } from './model/settings.js'
import type { RedisAddress } from './redis/address.js'

export interface ConnectOptions {
  /**
   * `redis://`, `rediss://`, a socket's path, `redis+sentinel://host:port,host:port/master-name`,
   * `redis+cluster://host:port,host:port`, a list of nodes of a Cluster, ioredis options, or an ioredis client
   * (`Redis` or `Cluster`; duplicated, never closed by us). It says where Redis is and how to log in; how a connection
   * behaves (time limits, retries, offline queue) is ours. A `keyPrefix` is refused: see `namespace`.
   */
  readonly redis: RedisAddress
  /** Key prefix of one fleet; 1 to 128 characters of `A-Za-z0-9._:/@-`, default `busbar`. */
  readonly namespace?: string | undefined
  /** Settings that every provider starts from. */
  readonly defaults?: SettingsInput | undefined
  /** Providers to register at once. */
  readonly providers?: Readonly<Record<string, SettingsInput>> | undefined
  /** `cached` (default): closed and open circuits are judged locally. `strict`: every admission asks Redis. */
  readonly consistency?: Consistency | undefined
  /**
   * How calls are decided while Redis does not answer. `local` (default): by the same rules in this process alone, from
   * what was known last. `allow`: all are admitted, but for an operator's mark. `deny`: all are refused.
   */
  readonly onRedisDown?: OnRedisDown | undefined
  /** Name of this process in events; default host name, pid and four random letters. */
  readonly workerId?: string | undefined
  /**
   * What fails together with this process, for a `quorum`: 1 to 128 characters of `A-Za-z0-9._:/@-`. Default: the environment's
   * `BUSBAR_FAILURE_DOMAIN`, else the host name. In a container the host name is the pod's; set it from the node's name.
   */
  readonly failureDomain?: string | undefined
  /** A pino logger, or anything of its shape; `false` for none. Default: pino, level info, to standard error. */
  readonly logger?: Logger | false | undefined
  /** How long one Redis command may take, ms. 1 to 60 000, default 200. */
  readonly commandTimeoutMs?: number | undefined
  /** How long good news may wait in this process, ms; a failure goes at once. 1 to 10 000, default 100. */
  readonly flushIntervalMs?: number | undefined
  /** What one provider may cost its Redis, batches of the whole fleet per second. 1 to 1 000 000, default 1 000. */
  readonly maxBatchesPerSecond?: number | undefined
  /** Queues that the fleet's probes are spread over, the same in every process. 1 to 64, default 1. */
  readonly probeQueues?: number | undefined
  /** Whether the process may end while connected. Default false. */
  readonly unref?: boolean | undefined
}
