import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { newCircuit, type Circuit } from '../../src/rules/circuit.js'
import { leftToProbesMs } from '../../src/rules/recovery.js'

const OPENED_MS = 1_000_000
const COOLDOWN_MS = 5_000
const INTERVAL_MS = 1_000

const breaker = (recovery: 'probe' | 'traffic' | 'both') => ({ ...resolveSettings({}).breaker, recovery })

/** A circuit that opened at `OPENED_MS`, seen `sinceMs` later. */
const opened = (sinceMs: number, over: Partial<Circuit> = {}): Circuit => ({
  ...newCircuit(OPENED_MS),
  phase: { state: 'open', openedAtMs: OPENED_MS, retryAtMs: OPENED_MS + COOLDOWN_MS },
  cooldownMs: COOLDOWN_MS,
  lastNowMs: OPENED_MS + sinceMs,
  ...over,
})

describe('what is left to the probes', () => {
  it.each(['traffic', 'both'] as const)('is nothing with recovery %s', (recovery) => {
    expect(leftToProbesMs(opened(COOLDOWN_MS), breaker(recovery), INTERVAL_MS)).toBe(0)
  })

  it('is nothing where there is no probe, or the circuit is closed', () => {
    expect(leftToProbesMs(opened(COOLDOWN_MS), breaker('probe'), null)).toBe(0)
    expect(leftToProbesMs(newCircuit(OPENED_MS), breaker('probe'), INTERVAL_MS)).toBe(0)
  })

  it('are three intervals after the cooldown, to the ms', () => {
    const left = (sinceMs: number) => leftToProbesMs(opened(sinceMs), breaker('probe'), INTERVAL_MS)
    expect(left(COOLDOWN_MS)).toBe(3_000)
    expect(left(COOLDOWN_MS + 2_999)).toBe(1)
    expect(left(COOLDOWN_MS + 3_000)).toBe(0)
  })

  it('are three intervals after the last probe began, where that was later', () => {
    const probed = opened(COOLDOWN_MS + 2_500, { probeStartedAtMs: OPENED_MS + COOLDOWN_MS + 2_000 })
    expect(leftToProbesMs(probed, breaker('probe'), INTERVAL_MS)).toBe(2_500)
  })

  it('counts from the end of a trip by hand, which has no cooldown', () => {
    const tripped = {
      phase: { state: 'open', openedAtMs: OPENED_MS, retryAtMs: OPENED_MS + 60_000 },
    } as const
    const circuit = opened(60_000, { ...tripped, cooldownMs: 0 })
    expect(leftToProbesMs(circuit, breaker('probe'), INTERVAL_MS)).toBe(3_000)
  })
})
