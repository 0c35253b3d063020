import { describe, expect, it } from 'vitest'
import { checkAlternation } from '../../src/cli/doctor/alternation.js'
import type { EventOf, ProviderEvent } from '../../src/index.js'

const NOW_MS = 1_700_000_000_000

const change = (
  worker: string,
  from: string,
  to: string,
  more: Partial<EventOf<'settings_changed'>> = {},
): ProviderEvent => ({
  kind: 'settings_changed',
  providerId: 'api',
  from,
  to,
  reason: '',
  generation: 1,
  version: 1,
  worker,
  actor: '',
  at: NOW_MS - 60_000,
  ...more,
})

const [SHORT, LONG] = ['breaker.cooldownMs=30000', 'breaker.cooldownMs=60000']
/** Of another kind, from the other worker. */
const OPENED: ProviderEvent = {
  ...change('new', LONG, SHORT),
  ...{ kind: 'opened', from: 'closed', to: 'open' },
}
const found = (...events: ProviderEvent[]) =>
  checkAlternation([{ id: 'api', nowMs: NOW_MS, events }]).map((one) => one.found)

describe('the doctor names the workers that change settings in turn', () => {
  it('when one takes back what the other changed', () => {
    expect(found(change('old', SHORT, LONG), change('new', LONG, SHORT))).toEqual([
      'api: old and new change breaker.cooldownMs in turn, in the last 10m',
    ])
  })

  it('when the event, which comes once a minute, says so', () => {
    const reason = 'alternates with the settings of pod:7/old: 12 changes since the last event'
    expect(found(change('new', LONG, SHORT, { reason }))).toEqual([
      'api: pod:7/old and new change breaker.cooldownMs in turn, in the last 10m',
    ])
  })

  it('all of them, once, and every setting of the last change by its name alone', () => {
    const probe = 'probe={"kind":"http","url":"http://a/?slowMs=1"}'
    const events = ['a', 'b', 'c', 'a'].map((worker, at) =>
      at % 2 === 0
        ? change(worker, `${SHORT} probe=-`, `${LONG} ${probe}`)
        : change(worker, `${LONG} ${probe}`, `${SHORT} probe=-`),
    )
    expect(found(...events)).toEqual([
      'api: a and b and c change breaker.cooldownMs, probe in turn, in the last 10m',
    ])
  })

  it.each([
    ['one change', [change('new', SHORT, LONG)]],
    ['one worker that changes its mind', [change('new', SHORT, LONG), change('new', LONG, SHORT)]],
    ['other settings', [change('old', SHORT, LONG), change('new', LONG, 'breaker.cooldownMs=1')]],
    [
      'a hand that takes back',
      [change('old', SHORT, LONG), change('cli:x', LONG, SHORT, { actor: 'alice' })],
    ],
    [
      'what is over',
      [
        change('old', SHORT, LONG, { at: NOW_MS - 700_000 }),
        change('new', LONG, SHORT, { at: NOW_MS - 600_001 }),
      ],
    ],
    ['other events', [change('old', SHORT, LONG), OPENED]],
  ])('not %s', (_what, events) => expect(found(...events)).toEqual([]))

  it('of a few providers, and how many more there are', () => {
    const events = [change('old', SHORT, LONG), change('new', LONG, SHORT)]
    const pasts = Array.from({ length: 8 }, (_, at) => ({ id: `api-${at}`, nowMs: NOW_MS, events }))
    const findings = checkAlternation(pasts)
    expect(findings).toHaveLength(6)
    expect(findings.at(-1)?.found).toBe('and so it is with 3 other providers')
  })
})
