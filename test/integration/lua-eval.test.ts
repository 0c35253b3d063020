import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.js'
import { providerKey } from '../../src/redis/keys.js'
import { flatten, scriptNames } from '../../src/redis/lua-source.js'
import { SCRIPTS } from '../../src/redis/script-definitions.js'
import { removeKeys } from '../harness/fleet.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

const exec = promisify(execFile)
const DIST_LUA = resolve(import.meta.dirname, '../../dist/lua')

/** What a person types; it comes with Debian's redis-tools, and with redis-server elsewhere. */
function findRedisCli(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.flatMap((folder) => ['redis-cli', 'valkey-cli'].map((name) => join(folder, name)))
  return found.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function plainRedis(): Promise<Redis> {
  const redis = new Redis(redisUrl(), { lazyConnect: true })
  await redis.connect()
  onTestFinished(async () => {
    await redis.quit()
  })
  return redis
}

describe('the flattened scripts', () => {
  it.each(scriptNames())('%s compiles in Redis', async (name) => {
    const redis = await plainRedis()
    expect(await redis.script('LOAD', flatten(name))).toMatch(/^[0-9a-f]{40}$/)
  })

  it('are what the build has written', () => {
    expect(existsSync(DIST_LUA), 'is dist/ built?').toBe(true)
    for (const name of scriptNames()) {
      expect(readFileSync(join(DIST_LUA, `${name}.lua`), 'utf8'), name).toBe(flatten(name))
    }
  })

  it('answer a person who runs redis-cli --eval', async ({ task, skip }) => {
    const cli = findRedisCli()
    if (cli === undefined) {
      task.meta.skipReason = 'this machine has no redis-cli'
      return skip(task.meta.skipReason)
    }
    const namespace = testNamespace()
    const redis = await plainRedis()
    const busbar = await connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })
    onTestFinished(async () => {
      await busbar.close()
      await removeKeys(redis, namespace)
    })
    const id = 'llm/gpt-4@eu'
    const provider = await busbar.provider(id, { breaker: { failureThreshold: 2 } })
    await Promise.all([provider.record('healthy'), provider.record('timeout'), provider.record('timeout')])

    const keys = SCRIPTS.snapshot.keys.map((key) => providerKey(namespace, id, key))
    const args = ['-u', redisUrl(), '--eval', join(DIST_LUA, 'snapshot.lua'), ...keys, ',', id]
    const { stdout } = await exec(cli, args)
    const [status, nowMs, applied, snapshot = ''] = stdout.split('\n')
    expect([status, applied]).toEqual(['ok', '3'])
    expect(Math.abs(Number(nowMs) - Date.now())).toBeLessThan(60_000)
    expect(JSON.parse(snapshot)).toMatchObject({
      id,
      state: 'open',
      consecutiveFailures: 2,
      reason: '2 consecutive failures, last: timeout',
      historyTotal: 3,
      historyHealthy: 1,
    })
  })
})
