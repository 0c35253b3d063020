import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ageSnapshot } from '../../src/client/sync/snapshot.js'
import { resolveSettings } from '../../src/config/settings.js'
import { newProvider } from '../../src/memory/provider.js'
import { snapshotOf } from '../../src/memory/snapshot.js'
import { admit } from '../../src/rules/admission.js'
import { newCircuit, type Circuit, type Phase } from '../../src/rules/circuit.js'
import { admitLocally } from '../../src/rules/snapshot-admission.js'

const T0 = 1_700_000_000_000
const AHEAD_MS = 2_000

const ahead = fc.integer({ min: -500, max: AHEAD_MS }).map((ms) => T0 + ms)

const phase: fc.Arbitrary<Phase> = fc.oneof(
  fc.constant<Phase>({ state: 'closed' }),
  fc
    .option(ahead, { nil: null })
    .map((retryAtMs): Phase => ({ state: 'open', openedAtMs: T0 - 100, retryAtMs })),
  fc.array(ahead, { maxLength: 2 }).map((deadlines): Phase => ({
    state: 'half_open',
    openedAtMs: T0 - 100,
    trials: new Map(deadlines.map((at, i) => [`trial-${i}`, at])),
  })),
)

const mark = fc.option(
  fc.record({
    mark: fc.constantFrom('unhealthy' as const, 'degraded' as const, 'terminated' as const),
    reason: fc.constantFrom('', 'maintenance'),
    actor: fc.constant('somebody'),
    untilMs: fc.option(ahead, { nil: null }),
  }),
  { nil: null },
)

const circuit: fc.Arbitrary<Circuit> = fc
  .record({ phase, mark, throttledUntilMs: ahead, reason: fc.constantFrom('', '3 consecutive failures') })
  .map((parts) => ({ ...newCircuit(T0), ...parts }))

/** Both answers, `laterMs` after the snapshot was taken. */
function answers(found: Circuit, enforce: boolean, laterMs: number) {
  const settings = resolveSettings({ breaker: { enforce, halfOpenMaxTrials: 1 } }, {})
  const given = { id: 'openai', circuit: found, settings, revision: 1, setBy: 'somebody', pinned: false }
  const taken = snapshotOf(newProvider(given), T0)
  const local = admitLocally(ageSnapshot(taken, laterMs))
  const asked = { origin: 'call', token: 'mine', leaseMs: 0, minGapMs: 0 } as const
  const { admission, circuit: after } = admit(
    { ...found, lastNowMs: T0 + laterMs },
    asked,
    settings.breaker,
    null,
  )
  return { local, admission, after }
}

describe('a decision by the snapshot', () => {
  it('is the one that the store would have made at that moment, and half-open is left to the store', () => {
    const seen = { admit: 0, refuse: 0, ask: 0 }
    fc.assert(
      fc.property(
        circuit,
        fc.boolean(),
        fc.integer({ min: 0, max: AHEAD_MS + 100 }),
        (found, enforce, laterMs) => {
          const { local, admission, after } = answers(found, enforce, laterMs)
          seen[local.decide] += 1
          switch (local.decide) {
            case 'admit':
              expect(admission).toMatchObject({ admitted: true, trial: false })
              expect(admission.code).toBe(local.wouldRefuse ?? null)
              break
            case 'refuse': {
              const { code, reason, retryAfterMs } = local
              expect(admission).toMatchObject({ admitted: false, code, reason, retryAfterMs })
              break
            }
            case 'ask':
              expect(after.phase.state).toBe('half_open')
              if (enforce) expect(admission.trial || admission.code === 'no_trial_free').toBe(true)
          }
        },
      ),
      { numRuns: 5_000 },
    )
    // None of them is only there on paper.
    expect(Math.min(seen.admit, seen.refuse, seen.ask)).toBeGreaterThan(200)
  })

  const closed = newCircuit(T0)
  const open: Circuit = { ...closed, phase: { state: 'open', openedAtMs: T0, retryAtMs: T0 + 1_000 } }

  it('changes from a refusal to a question at the very millisecond at which the cooldown is over', () => {
    expect(answers(open, true, 999).local).toMatchObject({ decide: 'refuse', retryAfterMs: 1 })
    expect(answers(open, true, 1_000).local).toEqual({ decide: 'ask' })
  })

  it('names the gravest cause and the latest deadline', () => {
    const { local } = answers(
      {
        ...open,
        throttledUntilMs: T0 + 1_500,
        mark: { mark: 'unhealthy', reason: 'why', actor: 'me', untilMs: T0 + 200 },
      },
      true,
      100,
    )
    expect(local).toEqual({
      decide: 'refuse',
      code: 'marked_unhealthy',
      reason: 'marked unhealthy: why',
      retryAfterMs: 1_400,
    })
  })

  it('knows no time for what only a person ends', () => {
    const tripped: Circuit = { ...open, phase: { state: 'open', openedAtMs: T0, retryAtMs: null } }
    expect(answers(tripped, true, 100).local).toMatchObject({ decide: 'refuse', retryAfterMs: null })
  })

  it('admits everybody where nothing is enforced, and says what would have refused', () => {
    expect(answers(open, false, 100).local).toEqual({ decide: 'admit', wouldRefuse: 'circuit_open' })
  })
})
