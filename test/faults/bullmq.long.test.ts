import { describe, expect, it } from 'vitest'
import { controlCase, outageCases } from '../harness/bullmq/outage-cases.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { redisUrl } from '../harness/redis.js'
import { ended, heldFleet } from './bullmq-fleet.js'
import { privateRedis } from './workers.js'

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
    found: (what: string) => figure(20, what),
  })
  outageCases(run)
  controlCase(run)
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
