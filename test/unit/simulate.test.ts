import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PAGE, tableOf, TABLES } from '../../scripts/simulate/tables.mjs'
import { generator } from '../harness/random.js'
import { SCENARIOS, simulate, type SimulationSource, type TraceCall } from '../../src/testing.js'

const QUICK = { seconds: 10, rate: 20 } as const
const QUORUM = { breaker: { failureThreshold: 10, failureRate: 0.5, quorum: 2 } }

describe('a simulation', () => {
  it.each(SCENARIOS)('of %s is the same for the same seed, and another for another', (scenario) => {
    const first = simulate({}, { ...QUICK, scenario })
    expect(simulate({}, { ...QUICK, scenario })).toEqual(first)
    expect(simulate({}, { ...QUICK, scenario, seed: 2 })).not.toEqual(first)
    expect(first.calls).toBeGreaterThan(1_500)
  })

  it('has the same calls whatever the settings are', () => {
    const source = { ...QUICK, scenario: 'brownout' } as const
    const [one, other] = [simulate({}, source), simulate({ breaker: { failureThreshold: 100 } }, source)]
    expect(other).toMatchObject({ calls: one.calls, goodCalls: one.goodCalls, doomedCalls: one.doomedCalls })
    expect(other.openings).not.toBe(one.openings)
  })

  it('of a dead provider opens, and opens again by each failed trial', () => {
    const settings = { breaker: { cooldownMs: 1_000 } }
    const dead = simulate(settings, { ...QUICK, scenario: 'dead' })
    // 10 s of fault, and 1 s of cooldown each.
    expect(dead).toMatchObject({ openings: 10, failedTrials: 9, closings: 1, trials: 10, goodCalls: 0 })
    expect(dead.openedAfterMs).toBeLessThan(500)
    expect(dead.doomedLetThrough).toBeLessThan(100)
    expect(dead.events[0]).toMatchObject({
      kind: 'opened',
      reason: expect.stringContaining('consecutive') as string,
    })
  })

  it('of a slow one ends its calls as timeouts, and those above slowMs as degraded', () => {
    const slow = simulate({ breaker: { failureThreshold: 5 } }, { ...QUICK, scenario: 'slow' })
    expect(slow.openedAfterMs).toBeGreaterThanOrEqual(1_000)
    const settings = { slowMs: 30, breaker: { failureThreshold: null, degradedRate: 0.3 } }
    expect(simulate(settings, { ...QUICK, scenario: 'steady', errors: 0 }).openings).toBeGreaterThan(0)
  })

  it('names a worker that fails alone, and refuses nobody else', () => {
    const lonely = simulate(QUORUM, { scenario: 'one_bad_worker', seconds: 20 })
    expect(lonely).toMatchObject({ openings: 0, namings: 1, wrongNamings: 0, goodRefused: 0 })
    expect(lonely.namedAfterMs).toBeLessThan(2_500)
    const { breaker } = QUORUM
    const alone = simulate(
      { breaker: { ...breaker, quorum: 1, failureThreshold: 3 } },
      { scenario: 'one_bad_worker', seconds: 20 },
    )
    expect(alone.goodRefusedShare).toBeGreaterThan(0.5)
  })

  it('lets calls come back by the ramp', () => {
    const source = { scenario: 'dead', seconds: 5, rate: 50 } as const
    const settings = { breaker: { cooldownMs: 1_000 } }
    const ramped = simulate({ breaker: { ...settings.breaker, recoveryRampMs: 10_000 } }, source)
    expect(ramped.closings).toBe(1)
    expect(ramped.durationMs).toBe(35_000)
  })
})

/** Healthy calls of one worker and failures of another, by turns, a ms each. */
const turns = (n: number): TraceCall[] =>
  Array.from({ length: n }, (_, i) => ({
    at: 1_000_000 + i,
    outcome: i % 2 === 0 ? 'healthy' : 'unhealthy',
    worker: i % 2 === 0 ? 'worker-1' : 'worker-2',
  }))

describe('a trace', () => {
  it('is applied in the order of arrival: failures go at once, successes wait', () => {
    expect(simulate({ breaker: { failureThreshold: 3 } }, { trace: turns(20) }).openings).toBe(1)
    const alone = turns(20).map((call) => ({ ...call, worker: 'worker-1' }))
    // Of one worker a failure takes the success before it along, so none follows another.
    expect(simulate({ breaker: { failureThreshold: 3 } }, { trace: alone }).openings).toBe(0)
  })

  it('of slow calls opens at its start where the window is young when the first of them end', () => {
    const random = generator(1)
    const [workers, seconds, meanGapMs, latencyMs] = [50, 4, 250, 2_000]
    const start = () =>
      Array.from({ length: workers }, (_, i) => {
        const calls: TraceCall[] = []
        for (let began = 0; began < seconds * 1_000; began -= meanGapMs * Math.log(1 - random())) {
          const failed = random() < 0.05
          const ms = failed ? 5 : latencyMs
          calls.push({
            at: began + ms,
            ms,
            outcome: failed ? 'unhealthy' : 'healthy',
            worker: `worker-${i}`,
          })
        }
        return calls
      }).flat()
    const starts = Array.from({ length: 10 }, start)
    const opened = (rateWindowMs: number) => {
      const breaker = { failureThreshold: null, failureRate: 0.5, rateWindowMs }
      return starts.filter((trace) => simulate({ breaker }, { trace }).openings > 0).length
    }
    expect(opened(10_000)).toBeGreaterThan(3)
    expect(opened(12 * latencyMs)).toBe(0)
  })

  it('counts what would have been refused', () => {
    const dead: TraceCall[] = Array.from({ length: 10 }, (_, i) => ({
      at: i * 10,
      outcome: 'timeout',
      ms: 5,
    }))
    const trace = [...dead, { at: 1_000, outcome: 'healthy' as const }]
    expect(simulate({ breaker: { failureThreshold: 3 } }, { trace })).toMatchObject({
      calls: 11,
      openings: 1,
      openedAfterMs: expect.closeTo(21, -0.5) as number,
      goodCalls: 1,
      goodRefused: 1,
      doomedCalls: 10,
      doomedLetThrough: 3,
    })
  })

  it('has probes, which ask nobody', () => {
    const trace: TraceCall[] = Array.from({ length: 3 }, (_, i) => ({
      at: i * 1_000,
      outcome: 'timeout',
      origin: 'probe',
    }))
    expect(simulate({ breaker: { failureThreshold: 3 } }, { trace })).toMatchObject({ calls: 0, openings: 1 })
  })
})

describe('a history', () => {
  const history = Array.from({ length: 40 }, (_, i) => ({
    at: i * 300,
    status: i % 4 === 0 ? ('healthy' as const) : ('unhealthy' as const),
    count: 10,
  }))

  it('is judged by rates, and by no run of failures', () => {
    expect(simulate({ breaker: { failureThreshold: 3 } }, { history }).openings).toBe(0)
    expect(simulate({ breaker: { failureRate: 0.5 } }, { history }).openings).toBe(1)
  })
})

describe('a source that makes no sense', () => {
  it.each<[string, unknown]>([
    ['source: expected exactly one of scenario, trace and history, got []', {}],
    ['scenario: expected one of steady', { scenario: 'constructor' }],
    ['workers: expected a whole number from 1 to 10000, got 0', { scenario: 'dead', workers: 0 }],
    ['domains: expected a whole number from 1 to 3, got 4', { scenario: 'dead', workers: 3, domains: 4 }],
    ['rate: expected a number above 0, up to 10000, got 0', { scenario: 'dead', rate: 0 }],
    ['errors: expected a number from 0 to 1, got NaN', { scenario: 'dead', errors: NaN }],
    ['seed: expected a whole number from 0 to 2147483648, got 1.5', { scenario: 'dead', seed: 1.5 }],
    [
      'trace.1: outcome: expected one of healthy',
      {
        trace: [
          { at: 1, outcome: 'healthy' },
          { at: 2, outcome: 'ok' },
        ],
      },
    ],
    [
      'trace.0: ms: expected a number of ms, 0 or more, got -1',
      { trace: [{ at: 1, outcome: 'healthy', ms: -1 }] },
    ],
  ])('is refused: %s', (message, source) => {
    expect(() => simulate({}, source as SimulationSource)).toThrow(message)
  })

  it('is refused with settings that make none, by their path', () => {
    expect(() => simulate({ breaker: { failureRate: 2 } }, { scenario: 'dead' })).toThrow(
      /breaker\.failureRate/,
    )
  })
})

describe('docs/choosing-rules.md', () => {
  const PART = ['dead, 1 call/s a worker', '1 bad worker of 2', 'bad worker restarts every 3 s, of 2']

  const page = readFileSync(PAGE, 'utf8').split('\n')

  it('has what npm run simulate:tables gives', () => {
    const rows = Object.values(TABLES)
      .flat()
      .filter(([what]) => PART.includes(what))
    expect(rows).toHaveLength(PART.length)
    const lines = tableOf(simulate, rows).split('\n').slice(2)
    expect(lines.filter((line) => !page.includes(line))).toEqual([])
  })

  it('shows every row of every table', () => {
    const shown = (what: string) => page.some((line) => line.startsWith(`| ${what} |`))
    const rows = Object.values(TABLES).flat()
    expect(rows.filter(([what]) => !shown(what))).toEqual([])
  })
})
