import { describe, expect, it } from 'vitest'

import { explain } from '../../src/view/explain.js'
import { paintsFor } from '../../src/view/paint.js'
import { readView } from '../../src/view/provider-view.js'
import { statusDetail } from '../../src/view/status-detail.js'
import { statusTable } from '../../src/view/status-table.js'
import type { Provider, SettingsInput } from '../../src/index.js'
import { widthOf } from '../../src/view/text-width.js'
import { createTestBusbar } from '../../src/testing.js'

const plain = paintsFor({ isTTY: false }, {})

async function setUp(settings: SettingsInput = {}) {
  const busbar = createTestBusbar()
  return { busbar, provider: await busbar.provider('api', settings), clock: busbar.clock }
}

async function fail(provider: Provider, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await provider.recordFailure()
}

const tableOf = async (provider: Provider, columns = 120) =>
  statusTable([await readView(provider)], plain, { columns })

async function sentencesOf(provider: Provider): Promise<Record<string, string>> {
  const { sentences } = explain(await readView(provider), await provider.events())
  return Object.fromEntries(sentences.map(({ topic, text }) => [topic, text]))
}

describe('the table of status', () => {
  it('never grows beyond the screen it is given, down to 80 columns', async () => {
    const { provider } = await setUp()
    await fail(provider, 3)
    await provider.markUnhealthy({ reason: 'a long story '.repeat(10), actor: 'somebody' })
    for (const columns of [80, 100, 120, 200]) {
      const table = await tableOf(provider, columns)
      for (const line of table.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
      expect(table).toContain('marked unhealthy')
    }
  })

  it('says what was seen where most calls were client errors, and nothing of a few', async () => {
    const { provider } = await setUp()
    for (let i = 0; i < 3; i += 1) await provider.record('client_error', { detail: 'HTTP 401' })
    expect(await tableOf(provider, 200)).toContain('3 of 3 calls: client error (HTTP 401)')
    for (let i = 0; i < 4; i += 1) await provider.recordSuccess()
    expect(await tableOf(provider, 200)).not.toContain('client error')
    expect(statusDetail(await readView(provider), plain)).toContain('3 of 7 calls: client error (HTTP 401)')
    expect((await sentencesOf(provider))['callers']).toMatch(/In the last 1m 3 of 7 calls: client error/)
  })

  it('says so where most calls were ignored, with what ends it, and nothing of a few', async () => {
    const { provider } = await setUp()
    for (let i = 0; i < 3; i += 1) {
      const abort = new AbortController()
      const call = provider.execute(() => new Promise(() => undefined), { signal: abort.signal })
      abort.abort()
      await expect(call).rejects.toThrow(/abort/)
    }
    expect(await tableOf(provider, 200)).toContain('3 of 3 calls: ignored (aborted)')
    expect((await sentencesOf(provider))['ignored']).toMatch(/3 of 3 calls.*give execute a timeoutMs/)
    for (let i = 0; i < 3; i += 1) await provider.recordSuccess()
    expect(await tableOf(provider, 200)).not.toContain('ignored')
    expect(statusDetail(await readView(provider), plain)).toContain('3 of 6 calls: ignored (aborted)')
    expect((await sentencesOf(provider))['ignored']).not.toMatch(/timeoutMs/)
  })

  it('shows how long a call has to wait, whatever it waits for', async () => {
    const { provider, clock } = await setUp({ breaker: { cooldownMs: 10_000 } })
    const retry = async () =>
      /(?:closed|half_open|open) +(\S+(?: \w+)?) {2}/.exec(await tableOf(provider))?.[1]
    expect(await retry()).toBe('-')
    await fail(provider, 3)
    clock.advance(7_900)
    expect(await retry()).toBe('2.1s')
    await provider.markUnhealthy({ forMs: 60_000 })
    expect(await retry()).toBe('1m')
    await provider.markUnhealthy()
    expect(await retry()).toBe('on resume')
    await provider.resume()
    await provider.trip()
    expect(await retry()).toBe('on reset')
    await provider.reset()
    await provider.record('throttled', { retryAfterMs: 5_000 })
    expect(await retry()).toBe('5s')
  })

  it('shows the trials of a half-open circuit', async () => {
    const { provider, clock } = await setUp({ breaker: { cooldownMs: 1_000, halfOpenMaxTrials: 2 } })
    await fail(provider, 3)
    clock.advance(1_000)
    expect(await tableOf(provider)).toMatch(/half_open .* 0 of 2 .*the next call is a trial/s)
    await provider.admit()
    expect(await tableOf(provider)).toMatch(/half_open .* 1 of 2 .*a trial is under/s)
  })

  it('says that a probe is missing', async () => {
    const { provider, clock } = await setUp({
      probe: { kind: 'http', url: 'http://a.test/', intervalMs: 1_000 },
    })
    expect(await tableOf(provider)).toMatch(/ none yet /)
    clock.advance(3_001)
    expect(await tableOf(provider)).toMatch(/ stale: none yet /)
  })
})

describe('explain', () => {
  it('of a provider that nothing happened to is calm', async () => {
    const { provider } = await setUp()
    const { headline } = explain(await readView(provider), await provider.events())
    expect(headline).toBe('api is healthy; its circuit is closed, and calls go through.')
    const { why, until, closes, mark, pause } = await sentencesOf(provider)
    expect({ why, until, closes, mark, pause }).toEqual({
      why: 'Nothing has moved the circuit yet.',
      mark: 'None.',
    })
  })

  it('counts down the successes that a half-open circuit still needs, and tells the next cooldown', async () => {
    const breaker = { cooldownMs: 1_000, successThreshold: 3, cooldownMultiplier: 4 }
    const { provider, clock } = await setUp({ breaker })
    await fail(provider, 3)
    clock.advance(1_000)
    const decision = await provider.admit()
    if (decision.admitted) await decision.permit.settle('healthy')
    const { closes } = await sentencesOf(provider)
    expect(closes).toMatch(/^2 successful trials close it; one that fails opens it again for 4s\./)
  })

  it('says that a tripped circuit stays open, and a pause when it ends', async () => {
    const { provider } = await setUp()
    await provider.record('throttled', { retryAfterMs: 90_000 })
    await provider.trip({ actor: 'alice' })
    const { until, since, pause, closes } = await sentencesOf(provider)
    expect(closes).toBe('By hand alone: busbar reset api')
    expect(until).toMatch(/^It stays open until somebody resets it/)
    expect(since).toMatch(/, by alice\.$/)
    expect(pause).toMatch(/no calls for another 1m 30s/)
  })

  it('names the mark and who made it as the reason, where the circuit is closed', async () => {
    const { provider } = await setUp()
    await provider.markUnhealthy({ reason: 'maintenance', actor: 'bob' })
    expect((await sentencesOf(provider))['why']).toBe('It is marked unhealthy by bob.')
  })

  it('says that nothing is refused when the breaker only watches', async () => {
    const { provider } = await setUp({ breaker: { enforce: false } })
    await fail(provider, 3)
    const { headline } = explain(await readView(provider), await provider.events())
    expect(headline).toBe('api is unhealthy: its circuit is open, and calls go through.')
    expect((await sentencesOf(provider))['refusals']).toMatch(/^Nothing is refused/)
  })
})
