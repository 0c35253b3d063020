import { describe } from 'vitest'
import { controlCase, outageCases } from '../harness/bullmq/outage-cases.js'
import { figure } from '../harness/figure.js'
import { redisUrl } from '../harness/redis.js'

/** `BUSBAR_BULLMQ_JOBS=10000` takes some minutes. */
const jobs = Number(process.env['BUSBAR_BULLMQ_JOBS'] ?? 1_000)
const deadMs = jobs >= 10_000 ? 10_000 : 4_000

describe(`${jobs} jobs of three worker processes through an outage of ${deadMs} ms`, () => {
  const run = () => ({
    redis: redisUrl(),
    bullmq: 'bullmq',
    jobs,
    deadMs,
    timeoutMs: 170_000,
    found: (what: string) => figure(24, what),
  })
  outageCases(run)
  controlCase(run)
})
