import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { redisUrl } from '../harness/redis.js'

const run = promisify(execFile)

it('examples/bullmq-pool.mjs brings all jobs through the outage', async () => {
  const env = { ...process.env, REDIS_URL: redisUrl() }
  const { stdout } = await run(process.execPath, ['examples/bullmq-pool.mjs'], { env, timeout: 100_000 })
  expect(stdout).toMatch(/^200 jobs done, 0 failed, 0 attempts spent$/m)
})
