import type { TestProject } from 'vitest/node'

import { installRedis } from '../../scripts/setup/redis/install.mjs'
import * as embedded from '../../src/embedded/index.js'
import { freePort } from '../../src/embedded/port.js'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
  }
  interface TaskMeta {
    /** Why a test is skipped; CI fails on a skipped test that does not say. */
    skipReason?: string
  }
}

interface Source {
  url: string
  /** What the line at the top of the run says. */
  description: string
  stop?: () => Promise<unknown>
}

/** One Redis for the whole run; each test has its own namespace in it. Never `REDIS_URL`, which may be a real one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const source = await chooseRedis()
  console.log(`tests use ${source.description}: ${source.url}`)
  project.provide('redisUrl', source.url)
  return async () => {
    await source.stop?.()
  }
}

async function chooseRedis(): Promise<Source> {
  const given = process.env['BUSBAR_TEST_REDIS_URL'] ?? ''
  if (given !== '') return { url: given, description: 'the Redis of BUSBAR_TEST_REDIS_URL' }
  if (process.env['BUSBAR_TEST_REDIS'] === 'container') return startContainer()
  if (embedded.findRedisServer() === undefined) await installRedis((line) => console.log(line), embedded)
  const redis = await embedded.startRedis()
  return { url: redis.url, description: 'a private Redis', stop: () => redis.stop() }
}

async function startContainer(): Promise<Source> {
  const { engineProblem, startRedisContainer } = await import('./container/container.mjs')
  const problem = await engineProblem()
  if (problem !== undefined) throw new Error(problem)
  const { url, image, stop } = await startRedisContainer(await freePort())
  return { url, description: `a container of ${image}`, stop }
}
