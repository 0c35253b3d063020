import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'
import { guardCases, loadBullMQ } from '../harness/bullmq/cases.js'
import { outageCases } from '../harness/bullmq/outage-cases.js'
import { redisUrl } from '../harness/redis.js'

/** The oldest version that busbar/bullmq works with, in a folder with a lock of its own. */
const bullmq = fileURLToPath(new URL('node_modules/bullmq', import.meta.url))

describe('with BullMQ 5.73.5', () => guardCases(loadBullMQ(bullmq)))

describe('300 jobs of BullMQ 5.73.5 through an outage of 2 s', () =>
  outageCases(() => ({ redis: redisUrl(), bullmq, jobs: 300, deadMs: 2_000, timeoutMs: 60_000 })))
