import type { Redis } from 'ioredis'

/** All that Redis holds of a namespace, as one text: names of keys and whatever is in them. */
export async function contentOf(redis: Redis, namespace: string): Promise<string> {
  const keys = (await Promise.all([redis.keys(`${namespace}:*`), redis.keys(`{${namespace}*`)])).flat()
  const parts = await Promise.all(
    keys.map(async (key) => {
      switch (await redis.type(key)) {
        case 'hash':
          return redis.hgetall(key)
        case 'zset':
          return redis.zrange(key, 0, -1)
        case 'list':
          return redis.lrange(key, 0, -1)
        case 'set':
          return redis.smembers(key)
        case 'stream':
          return redis.xrange(key, '-', '+')
        default:
          return redis.get(key)
      }
    }),
  )
  return JSON.stringify([keys, parts])
}
