import { expect, onTestFinished } from 'vitest'
import { connect, type Busbar } from '../../src/index.js'
import { openFleet, SETTINGS, type JobFleet } from '../harness/bullmq/fleet.mjs'
import { eventually } from '../harness/eventually.mjs'

const LONG = { breaker: { ...SETTINGS.breaker, cooldownMs: 600_000 } }

/** Two worker processes whose provider is down, so that they are held, and somebody who can bring it back. */
export async function heldFleet(
  redis: string,
): Promise<{ readonly fleet: JobFleet; readonly busbar: Busbar }> {
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
export const ended = async (fleet: JobFleet, jobs: number) => {
  const { delayed } = await fleet.counts()
  expect(delayed).toBeLessThanOrEqual(10)
  return { failed: 0, active: 0, waiting: 0, completed: jobs - delayed }
}
