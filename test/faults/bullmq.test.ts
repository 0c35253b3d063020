import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, type Busbar } from '../../src/index.js'
import { openFleet, SETTINGS, type JobFleet } from '../harness/bullmq/fleet.mjs'
import { outageCases } from '../harness/bullmq/outage-cases.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl } from '../harness/redis.js'
import { privateRedis } from './workers.js'

const JOBS = 300

describe(`${JOBS} jobs of three worker processes through an outage of 1.5 s`, () =>
  outageCases(() => ({ redis: redisUrl(), bullmq: 'bullmq', jobs: JOBS, deadMs: 1_500, timeoutMs: 60_000 })))

const LONG = { breaker: { ...SETTINGS.breaker, cooldownMs: 600_000 } }

/** Two worker processes whose provider is down, so that they are held, and somebody who can bring it back. */
async function heldFleet(redis: string): Promise<{ readonly fleet: JobFleet; readonly busbar: Busbar }> {
  const fleet = await openFleet({
    redis,
    workers: 2,
    guard: { spreadMs: 1 },
    settings: LONG,
    lockDurationMs: 1_000,
    stalledMs: 500,
  })
  const busbar = await connect({ redis, namespace: fleet.name, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(async () => {
    await busbar.close()
    await fleet.close()
  })
  await (await busbar.provider('mail')).trip({ reason: 'by hand' })
  await eventually(async () => (await fleet.states()).every(({ paused }) => paused), 'both workers are held')
  return { fleet, busbar }
}

/** All jobs are done, but for the few that came after the pause: nothing says when a trip by hand ends, so they come in 30 s. */
const ended = async (fleet: JobFleet, jobs: number) => {
  const { delayed } = await fleet.counts()
  expect(delayed).toBeLessThanOrEqual(10)
  return { failed: 0, active: 0, waiting: 0, completed: jobs - delayed }
}

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

it('a Redis that is restarted during a hold leaves no worker paused, and the hold goes on after it', async () => {
  const server = await privateRedis({ persistent: true })
  const { fleet, busbar } = await heldFleet(server.url)
  await fleet.add(50)
  await server.restart()
  const held = async () =>
    expect(await fleet.states()).toMatchObject([1, 2].map(() => ({ paused: true, circuit: 'open' })))
  await eventually(held, { what: 'both are held again', timeoutMs: 60_000 })
  expect(fleet.upstream.counts.served).toBe(0)
  await (await busbar.provider('mail')).reset()
  await eventually(async () => expect(await fleet.counts()).toMatchObject(await ended(fleet, 50)), {
    what: 'all jobs ended',
    timeoutMs: 60_000,
  })
})
