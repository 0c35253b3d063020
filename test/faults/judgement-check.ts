import { expect } from 'vitest'
import { figure } from '../harness/figure.js'
import { COOLDOWN_MS, runFleet, type Case } from './judgement-fleet.js'

/** Runs the fleet with a fault that lasts so long, and looks at what was opened, named and refused. */
export async function checkJudgement(faultMs: number): Promise<void> {
  const report = await runFleet(faultMs)
  const of = (id: Case, kind: string) =>
    report.events.filter((event) => event.providerId === id && event.kind === kind)
  const openedAfter = (id: Case) => of(id, 'opened').find(({ afterMs }) => afterMs > 0)?.afterMs
  const { sentences, workers, providers } = report.matrix
  const named = of('egress', 'worker_suspected')[0]
  const cleared = of('egress', 'worker_cleared').at(-1)
  const { failed = 0, refused = {} } = report.first['egress'] ?? {}
  const seconds = (ms: number | undefined) => (ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`)
  const clearedAfterMs = (cleared?.afterMs ?? Infinity) - report.mendedAtMs
  figure(
    7,
    `one of ten with a broken egress: named after ${seconds(named?.afterMs)}, it let ${failed} calls fail`,
  )
  console.log(`cleared ${seconds(clearedAfterMs)} after it was mended (cooldown ${seconds(COOLDOWN_MS)})`)
  console.log(`refused by its own circuit: ${JSON.stringify(refused)}`)
  for (const [id, state] of Object.entries(report.states)) {
    const kinds = report.events
      .filter((event) => event.providerId === id)
      .map(({ kind, afterMs }) => `${kind} ${seconds(afterMs)}`)
    console.log(
      `${id.padEnd(12)} ${state.padEnd(9)} suspects ${report.suspects[id]?.join(' ') || '-'}; ${kinds.join(', ')}`,
    )
  }
  for (const id of ['egress', 'rack', 'one-of-rack', 'deploy', 'pair', 'restarting'] as const)
    expect(of(id, 'opened'), id).toEqual([])
  for (const id of ['dead', 'dead-alone', 'single', 'no-quorum'] as const)
    expect(openedAfter(id), id).toBeDefined()
  expect(report.suspects['egress']).toEqual(['worker-0'])
  expect([...(report.suspects['rack'] ?? [])].sort()).toEqual([
    'worker-0',
    'worker-1',
    'worker-2',
    'worker-3',
  ])
  console.log(sentences.join('\n'))
  // Of ten workers one has a row of its own, and a dead provider a column. The processes that are restarted again and again
  // have names above theirs, and are bad as well, where one lived long enough to show it.
  const badWorkers = workers.filter(({ verdict }) => verdict === 'bad').map(({ id }) => id)
  expect(badWorkers.filter((id) => /^worker-\d$/.test(id))).toEqual(['worker-0'])
  expect(sentences.join('\n')).toMatch(
    /^worker-0 fails at \d of \d providers that answer other workers: a bad worker\.$/m,
  )
  expect(providers.filter(({ verdict }) => verdict === 'bad').map(({ id }) => id)).toEqual(
    expect.arrayContaining(['dead', 'dead-alone']),
  )
  expect(sentences.join('\n')).toMatch(/^dead fails in \d+ of \d+ workers: a bad provider/m)
  expect(report.explained).toContain('worker-0 on node-0 fails alone')
  expect(named?.reason).toContain('worker-0 on node-0 fails alone')
  expect(refused['worker_suspected']).toBeGreaterThan(0)
  expect(failed).toBeLessThanOrEqual(40)
  expect(clearedAfterMs).toBeLessThan(COOLDOWN_MS + 20_000)
}
