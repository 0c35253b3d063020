import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { connect, type Busbar, type ConnectOptions } from '../../src/index.js'
import { removeKeys } from './fleet.js'
import type { HttpUpstream } from './http-upstream.js'
import { watchProbeDecisions } from './probe-decisions.mjs'
import { redisUrl, testNamespace } from './redis.js'

/** A fleet on the real clock: BullMQ has no other. */
export function realFleet(url = redisUrl()) {
  const namespace = testNamespace()
  const redis = new Redis(url)
  const busbars: Busbar[] = []
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close()))
    await removeKeys(redis, namespace)
    await redis.quit()
  })
  const join = async (options: Partial<ConnectOptions> = {}) => {
    const given = { redis: url, namespace, logger: false as const, commandTimeoutMs: 5_000 }
    const busbar = await connect({ ...given, ...options })
    busbars.push(busbar)
    return busbar
  }
  /** How often each provider is planned to be probed, ms. */
  const planned = async () => {
    const paces = await redis.hgetall(`{${namespace}}:intervals`)
    return Object.fromEntries(Object.entries(paces).map(([id, pace]) => [id, parseInt(pace)] as const))
  }
  /** From now on, when probes of `id` are decided. */
  const decisionsOf = async (id: string) => {
    const watch = await watchProbeDecisions(Number(new URL(url).port || 6379), namespace, id)
    onTestFinished(() => watch.close())
    return watch
  }
  return { namespace, url, redis, join, planned, decisionsOf }
}

export const probeOf = (upstream: HttpUpstream, intervalMs: number, more: object = {}) => ({
  probe: { kind: 'http' as const, url: upstream.url, intervalMs, ...more },
})

export const HOUR = 3_600_000
