import { meansLost } from '../model/errors.js'
import { RedisConnection, type ConnectionOptions } from './connection.js'
import type { LuaSourceOptions } from './lua-source.js'
import type { RedisAddress } from './address.js'
import { RedisStore } from './store.js'

export interface StoreOptions extends ConnectionOptions {
  readonly redis: RedisAddress
  readonly namespace: string
  /** Name of this process. */
  readonly worker: string
}

/** The way to a fleet's Redis, which need not answer yet. */
export interface OpenStore {
  readonly connection: RedisConnection
  readonly store: RedisStore
  /**
   * Connects, and sees whether this version can read what is there.
   * @throws RedisUnavailableError, RedisUnsupportedError
   */
  readonly open: () => Promise<void>
  /** Resolves once Redis answers reads and takes writes; opens what is not open yet. @throws RedisUnavailableError */
  readonly ping: () => Promise<void>
}

/** Makes it; nothing is sent before `open`. */
export function openStore(
  { redis, namespace, worker, ...options }: StoreOptions,
  source: LuaSourceOptions,
): OpenStore {
  const connection = new RedisConnection(redis, options)
  const store = new RedisStore(connection, namespace, source)
  let connected = false
  const open = async () => {
    await connection.connect()
    await store.checkSchema()
    connected = true
  }
  const ping = async () => {
    if (connected) await connection.openNodes()
    else await open()
    await store.epoch()
    // A server that refuses writes answers reads. A user without the right to this key shows nothing by it.
    await store.touchWorker(worker).catch((error: unknown) => {
      if (meansLost(error)) throw error
    })
  }
  return { connection, store, open, ping }
}
