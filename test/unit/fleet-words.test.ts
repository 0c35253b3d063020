import { describe, expect, it } from 'vitest'
import { createTestBusbar } from '../../src/testing.js'
import { actionSentence } from '../../src/view/action-words.js'
import { refusingNames, refusingSentence } from '../../src/view/fleet-words.js'
import { readAll, readView } from '../../src/view/provider-view.js'
import { distanceText, rulesDistance } from '../../src/view/rules-distance.js'

const fail = () => Promise.reject(new Error('HTTP 503'))

describe('the distance to each rule', () => {
  it('counts failures, probes and rates against their limits, and is none while the circuit is open', async () => {
    const busbar = createTestBusbar()
    const provider = await busbar.provider('openai', {
      breaker: { failureThreshold: 3, failureRate: 0.5, minimumCalls: 4, quorum: 2 },
    })
    expect(distanceText(await readView(provider))).toBe(
      'failures 0 of 3; failure rate not judged yet: 0 of 4 calls in 10s; quorum 2 failure domains must see it',
    )
    for (const run of [
      () => Promise.resolve(1),
      () => Promise.resolve(1),
      () => Promise.resolve(1),
      fail,
      fail,
    ])
      await provider.execute(run).catch(() => undefined)
    await busbar.flush()
    const view = await readView(provider)
    expect(distanceText(view)).toBe(
      'failures 2 of 3; failure rate 40% of 50% over 5 calls; quorum 2 failure domains must see it',
    )
    expect(rulesDistance(view).map(({ share }) => share)).toEqual([2 / 3, 0.8, null])
    await provider.trip({ reason: 'red' })
    expect(distanceText(await readView(provider))).toBe('')
    await busbar.close()
  })
})

describe('the fleet in one sentence', () => {
  it('names who refuses calls and for how long, and no other', async () => {
    const busbar = createTestBusbar()
    const read = async () => (await readAll(busbar)).views
    expect(refusingSentence(await read())).toBe('No provider is registered yet.')
    const [a, b] = [await busbar.provider('a'), await busbar.provider('b')]
    await busbar.provider('c', { breaker: { enforce: false } })
    expect(refusingSentence(await read())).toBe('All 3 providers take calls.')
    expect(refusingNames(await read())).toBe('')
    await b.markDegraded({ reason: 'slow' })
    expect(refusingSentence(await read())).toBe('All 3 providers take calls; 1 is not healthy.')
    await a.trip({ reason: 'red' })
    await b.markUnhealthy({ reason: 'red', forMs: 60_000 })
    await busbar.get('c')?.trip({ reason: 'red' })
    expect(refusingSentence(await read())).toBe('2 of 3 providers refuse calls.')
    expect(refusingNames(await read())).toMatch(/^a \(until somebody resets it\), b \(another (1m|59s)\)$/)
    await busbar.close()
  })
})

describe('what an action will do', () => {
  it('says in how many workers, until when, and when it does nothing', async () => {
    const busbar = createTestBusbar()
    const provider = await busbar.provider('a')
    const view = await readView(provider)
    expect(actionSentence({ action: 'trip', forMs: 3_600_000 }, view, 14)).toBe(
      'Refuses calls in all 14 workers. It lasts 1h. Then trials decide whether it closes.',
    )
    expect(actionSentence({ action: 'mark', mark: 'terminated', forMs: null }, view, 1)).toBe(
      'Refuses calls in the one worker. Probes are stopped. It has no end: only a resume ends it.',
    )
    expect(actionSentence({ action: 'mark', mark: 'degraded', forMs: null }, view, undefined)).toContain(
      'Calls and probes go on.',
    )
    await provider.trip({ reason: 'x' })
    await provider.markUnhealthy({ reason: 'x' })
    const marked = await readView(provider)
    expect(actionSentence({ action: 'reset' }, marked, 2)).toContain(
      'Calls stay refused: it is marked unhealthy.',
    )
    expect(actionSentence({ action: 'resume' }, marked, 2)).toContain(
      'Calls stay refused: its circuit is open.',
    )
    const lax = await busbar.provider('b', { breaker: { enforce: false } })
    expect(actionSentence({ action: 'trip', forMs: 1_000 }, await readView(lax), 2)).toContain(
      'Refuses nothing',
    )
    await busbar.close()
  })
})
