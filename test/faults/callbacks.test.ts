import { expect, test } from 'vitest'
import { EVENT_KINDS, type ProviderEvent } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { testFleet } from '../harness/fleet.js'
import { isAlive } from '../harness/process.js'
import { kindsOf, worker, type CallerActions } from './workers.js'

interface NoisyActions extends CallerActions {
  /** What the listeners heard that were added after the failing ones. */
  heard(): ProviderEvent[]
}

const settings = { breaker: { cooldownMs: 1_000 } }

test.each(['throws', 'rejects'] as const)(
  'a process whose logger and listeners all fail (%s) lives, and no transition is lost',
  async (how) => {
    const fleet = await testFleet()
    const noisy = await worker<NoisyActions>('noisy', fleet, { settings, extra: { how, kinds: EVENT_KINDS } })
    const busbar = await fleet.connect()
    const heard: ProviderEvent[] = []
    for (const kind of EVENT_KINDS) busbar.on(kind, (event) => heard.push(event))
    const provider = await busbar.provider('openai')

    await noisy.ask('fail', 3)
    await fleet.clock.advance(1_000)
    await noisy.ask('admit', 'trial')
    await noisy.ask('settle', 'trial', 'unhealthy')
    await fleet.clock.advance(1_000)
    await noisy.ask('admit', 'trial')
    await noisy.ask('settle', 'trial', 'healthy')
    await noisy.ask('control', 'markDegraded')
    await noisy.ask('control', 'resume')
    await noisy.ask('record', 'throttled', { retryAfterMs: 10 })
    await noisy.ask('control', 'trip')
    await noisy.ask('control', 'reset')

    const made = (await provider.events()).filter((event) => event.kind !== 'registered')
    expect(kindsOf(made)).toEqual([
      ...['opened', 'half_opened', 'opened', 'half_opened', 'closed'],
      ...['marked', 'resumed', 'throttled', 'opened', 'reset'],
    ])
    await eventually(() => heard.length >= made.length, 'every event arrives here')
    await eventually(async () => (await noisy.ask('heard')).length >= made.length, 'and there')
    expect(heard).toEqual(made)
    expect((await noisy.ask('heard')).filter((event) => event.kind !== 'registered')).toEqual(made)
    // Each listener and each line of the log failed once for each event.
    const failed = (await noisy.ask('counters'))['callbacksFailed'] ?? 0
    figure(
      14,
      `${made.length} transitions, none lost; ${failed} callbacks failed (${how}); the process lives`,
    )
    expect(failed).toBeGreaterThanOrEqual(2 * made.length)
    expect(isAlive(noisy.pid)).toBe(true)
  },
)
