import { expect, it, onTestFinished } from 'vitest'
import { openFleet, SETTINGS, throughOutage, type JobFleet, type OutageCost } from './fleet.mjs'

const WORKERS = 3
const CONCURRENCY = 5
const SLOTS = WORKERS * CONCURRENCY

export interface OutageRun {
  readonly redis: string
  readonly bullmq: string
  readonly jobs: number
  readonly deadMs: number
  readonly timeoutMs: number
  /** Takes what was found, for people to read. */
  readonly found?: (what: string) => void
}

async function open(run: OutageRun, more: object): Promise<JobFleet> {
  const { redis, bullmq } = run
  const fleet = await openFleet({
    redis,
    bullmq,
    workers: WORKERS,
    concurrency: CONCURRENCY,
    settings: SETTINGS,
    ...more,
  })
  onTestFinished(() => fleet.close())
  fleet.upstream.slow(20)
  return fleet
}

const through = async (asked: OutageRun, what: string, more: object, paused = false): Promise<OutageCost> => {
  const { jobs, deadMs, timeoutMs, found } = asked
  const cost = await throughOutage(await open(asked, more), { jobs, deadMs, timeoutMs, paused })
  found?.(`${what}: ${JSON.stringify(cost)}`)
  return cost
}

/**
 * The failures that open the circuit, the calls that are under way then, one for each slot, and the failed trials. A held
 * worker defers one job for each slot at most.
 */
const expectFewDoomed = ({ doomed, trialsFailed, moved, held, deferred }: OutageCost) => {
  expect(doomed).toBeLessThanOrEqual(SLOTS + (SETTINGS.breaker?.failureThreshold ?? 0) + trialsFailed)
  expect(moved).toBeLessThanOrEqual(held * CONCURRENCY)
  expect(deferred).toBe(moved)
}

/** What an outage costs the jobs of three worker processes where none of them may lose an attempt; counts alone are judged. */
export function outageCase(run: () => OutageRun): void {
  it("with deferOn: 'outage' no attempt is spent", async () => {
    const cost = await through(run(), 'outage', { guard: { spreadMs: 500, deferOn: 'outage' } })
    expect(cost).toMatchObject({ failed: 0, spent: 0 })
    expectFewDoomed(cost)
  })
}

/** The same, and by default. */
export function outageCases(run: () => OutageRun): void {
  outageCase(run)

  it('by default attempts are spent by the calls that reached the dead provider, and by no other', async () => {
    const cost = await through(run(), 'default', { guard: { spreadMs: 500 } })
    expect(cost.failed).toBe(0)
    expect(cost.spent).toBeLessThanOrEqual(cost.doomed)
    expectFewDoomed(cost)
  })
}

/** What the same takes without an outage, with workers paused for as long. */
export function controlCase(run: () => OutageRun): void {
  it('a control whose workers were paused by hand', async () => {
    const cost = await through(run(), 'control', { guard: {}, hold: false }, true)
    expect(cost).toMatchObject({ failed: 0, spent: 0, doomed: 0 })
  })
}
