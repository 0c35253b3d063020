import { describe, expect, it, onTestFinished } from 'vitest'
import type { Group, Provider } from '../../src/index.js'
import { createTestBusbar, createTestFleet, type TestBusbar, type TestFleet } from '../../src/testing.js'

const DOUBTED = { group: 'llm', breaker: { quorum: 2, cooldownMs: 8_000 } }

function worker(fleet: TestFleet): TestBusbar {
  const busbar = createTestBusbar({ fleet })
  onTestFinished(() => busbar.close())
  return busbar
}

interface Doubtful {
  readonly fleet: TestFleet
  readonly busbar: TestBusbar
  /** Its calls fail in this process, and in no other. */
  readonly failing: Provider
  readonly group: Group
}

/** A process that doubts itself, and the group of the provider that it cannot reach: `spare` comes second. */
async function doubtful(): Promise<Doubtful> {
  const fleet = createTestFleet()
  const [busbar, other] = [worker(fleet), worker(fleet)]
  const failing = await busbar.provider('failing', DOUBTED)
  await busbar.provider('spare', { group: 'llm', priority: 1 })
  const elsewhere = await other.provider('failing', DOUBTED)
  await elsewhere.record('healthy')
  await other.flush()
  const group = busbar.group('llm')
  await group.members()
  expect(group.order()).toMatchObject([{ id: 'failing' }, { id: 'spare' }])
  for (let i = 0; i < 20; i += 1) await failing.record('unhealthy')
  expect(await failing.admit()).toMatchObject({ admitted: false, code: 'worker_suspected' })
  expect(await elsewhere.admit()).toMatchObject({ admitted: true })
  return { fleet, busbar, failing, group }
}

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve()
}

function watched(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'waits' }
  promise.then(
    () => (seen.state = 'ready'),
    (error: unknown) => (seen.state = String(error)),
  )
  return seen
}

describe('a process that doubts itself', () => {
  it('is seen by its groups: the member comes last, with the reason, until a try of it succeeds', async () => {
    const { fleet, failing, group } = await doubtful()
    const last = () => group.order().at(-1)
    expect(last()).toMatchObject({
      id: 'failing',
      admissible: false,
      reason: 'calls of this process fail: 20 failures in a row',
    })
    expect(last()?.retryAfterMs).toBeGreaterThanOrEqual(800)
    expect(await group.execute(({ id }) => id)).toBe('spare')
    await fleet.clock.advanceAsync(1_000)
    expect(group.order()[0]).toMatchObject({ id: 'failing', admissible: true })
    const attempt = await failing.admit()
    // One call at a time.
    expect(last()).toMatchObject({ id: 'failing', admissible: false, retryAfterMs: 1_000 })
    if (attempt.admitted) await attempt.permit.settle('healthy')
    expect(group.order()[0]).toMatchObject({ id: 'failing', admissible: true, reason: '' })
    expect(await group.execute(({ id }) => id)).toBe('failing')
  })

  it('is named as the reason where no other member is left', async () => {
    const { busbar, group } = await doubtful()
    await busbar.get('spare')?.markUnhealthy()
    const attempts = [
      { id: 'failing', code: 'worker_suspected' },
      { id: 'spare', code: 'marked_unhealthy' },
    ]
    const refused = await group.admit()
    expect(refused).toMatchObject({ admitted: false, attempts })
    expect(refused).toHaveProperty('retryAfterMs', expect.any(Number))
    await expect(group.execute(({ id }) => id)).rejects.toMatchObject({ attempts })
  })

  it('lets one waiter through for each try, and all once it is well', async () => {
    const { fleet, failing } = await doubtful()
    const waits = [1, 2, 3].map(() => watched(failing.ready()))
    const states = () => waits.map(({ state }) => state)
    await fleet.clock.advanceAsync(799)
    expect(states()).toEqual(['waits', 'waits', 'waits'])
    await fleet.clock.advanceAsync(201)
    expect(states()).toEqual(['ready', 'waits', 'waits'])
    const attempt = await failing.admit()
    await fleet.clock.advanceAsync(5_000)
    expect(states()).toEqual(['ready', 'waits', 'waits'])
    if (attempt.admitted) await attempt.permit.settle('healthy')
    await settled()
    expect(states()).toEqual(['ready', 'ready', 'ready'])
  })
})

describe('a half-open provider', () => {
  it('is refused by its group while this process has the only trial', async () => {
    const fleet = createTestFleet()
    const busbar = worker(fleet)
    const a = await busbar.provider('a', {
      group: 'llm',
      breaker: { failureThreshold: 1, cooldownMs: 1_000 },
    })
    const group = busbar.group('llm')
    await group.members()
    await a.recordFailure()
    await fleet.clock.advanceAsync(1_000)
    expect(group.order()).toMatchObject([{ admissible: true }])
    const trial = await a.admit()
    expect(trial).toMatchObject({ admitted: true, permit: { trial: true } })
    const reason = 'half-open: 1 of 1 trials under way'
    expect(group.order()).toMatchObject([{ admissible: false, reason }])
    expect(watched(a.ready())).toEqual({ state: 'waits' })
    if (trial.admitted) await trial.permit.settle('healthy')
    expect(group.order()).toMatchObject([{ admissible: true }])
  })
})

describe('a provider that recovers', () => {
  it('gets the share of its ramp in the order of its group, and is ready', async () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    const breaker = { failureThreshold: 1, cooldownMs: 1_000, recoveryRampMs: 60_000 }
    const recovering = await busbar.provider('recovering', { group: 'llm', breaker })
    await busbar.provider('other', { group: 'llm' })
    const group = busbar.group('llm')
    await group.members()
    await recovering.recordFailure()
    await busbar.clock.advanceAsync(1_000)
    await recovering.execute(() => 'trial')
    // Failures and successes of before leave the window: what is left is the ramp.
    await busbar.clock.advanceAsync(1)
    const keys = Array.from({ length: 2_000 }, (_, i) => `tenant-${i}`)
    const shareOf = (id: string) =>
      keys.filter((key) => group.order({ key })[0]?.id === id).length / keys.length
    const degraded = 0.25 * 0.1
    expect(shareOf('recovering')).toBeCloseTo(degraded / (1 + degraded), 1)
    expect(group.order().every(({ admissible }) => admissible)).toBe(true)
    await recovering.ready()
  })
})
