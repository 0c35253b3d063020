import { describe, expect, it } from 'vitest'
import { outageCase } from '../harness/bullmq/outage-cases.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl } from '../harness/redis.js'
import { ended, heldFleet } from './bullmq-fleet.js'

const JOBS = 300

describe(`${JOBS} jobs of three worker processes through an outage of 1 s`, () =>
  outageCase(() => ({ redis: redisUrl(), bullmq: 'bullmq', jobs: JOBS, deadMs: 1_000, timeoutMs: 60_000 })))

it('a worker that is killed while it holds, and a queue that an operator pauses and resumes, keep no job', async () => {
  const { fleet, busbar } = await heldFleet(redisUrl())
  const { queue, processes, upstream } = fleet
  await fleet.add(50)
  await processes[0]?.kill()
  await queue.pause()
  await busbar.get('mail')?.reset()
  await eventually(async () => (await processes[1]?.ask('state'))?.paused === false, 'the other is let go')
  // The operator's flag is the queue's, and stays until the operator takes it away.
  expect([await queue.isPaused(), upstream.counts.served]).toEqual([true, 0])
  await queue.resume()
  await eventually(
    async () => expect(await fleet.counts()).toMatchObject(await ended(fleet, 50)),
    'all jobs ended',
  )
})
