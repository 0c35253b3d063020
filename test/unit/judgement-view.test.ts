import { expect, it, onTestFinished } from 'vitest'
import { checkJudgement } from '../../src/cli/doctor/judgement.js'
import type { Inspection } from '../../src/index.js'
import { createTestBusbar, createTestFleet } from '../../src/testing.js'
import { explain } from '../../src/view/explain.js'
import { paintsFor } from '../../src/view/paint.js'
import { readView } from '../../src/view/provider-view.js'
import { statusDetail } from '../../src/view/status-detail.js'
import { suspectText } from '../../src/view/suspects.js'

// The checks read the processes alone.
const FACTS = { workers: [] } as unknown as Inspection

/** Two workers of one fleet, of which the second fails all its calls. */
async function pair() {
  const fleet = createTestFleet()
  const [good, bad] = ['good', 'bad'].map((workerId) => createTestBusbar({ fleet, workerId })) as [
    ReturnType<typeof createTestBusbar>,
    ReturnType<typeof createTestBusbar>,
  ]
  onTestFinished(() => Promise.all([good.close(), bad.close()]).then(() => undefined))
  const settings = { breaker: { failureThreshold: 10, quorum: 2, failureRate: 0.1 } }
  const [well, ill] = [await good.provider('api', settings), await bad.provider('api', settings)]
  await well.recordSuccess()
  await ill.recordSuccess()
  for (let i = 0; i < 20; i += 1) {
    const asked = await ill.admit()
    if (asked.admitted) await asked.permit.settle('unhealthy')
    await well.recordSuccess()
    await fleet.clock.advanceAsync(150)
  }
  return { fleet, well, ill }
}

it('a worker that fails alone refuses its calls, and is named in explain and by the doctor', async () => {
  const { well, ill } = await pair()
  expect(await ill.admit()).toMatchObject({ admitted: false, code: 'worker_suspected', source: 'local' })
  expect(await well.admit()).toMatchObject({ admitted: true })
  const view = await readView(well)
  expect(view.snapshot.suspects.map(({ worker }) => worker)).toEqual(['bad'])
  const { sentences } = explain(view, [])
  expect(sentences.find(({ topic }) => topic === 'suspects')?.text).toMatch(
    /^bad on bad fails alone: \d+ failures in a row there in [\d.]+s, and \d+ successes elsewhere meanwhile \(good disagrees\)\.$/,
  )
  expect(checkJudgement(FACTS, [view]).map(({ level, check }) => [level, check])).toEqual([
    ['warn', 'worker bad'],
    ['warn', 'settings api'],
  ])
})

it('a limit in failures says from how many domains they must come, and a worker without a success no domain', async () => {
  const { well } = await pair()
  const view = await readView(well)
  expect(explain(view, []).sentences.find(({ topic }) => topic === 'against it')?.text).toMatch(
    /\(10 from 2 failure domains open it\)/,
  )
  expect(statusDetail(view, paintsFor({ isTTY: false }, {}))).toContain(
    '10 from 2 failure domains open the circuit',
  )
  const [suspect] = view.snapshot.suspects
  if (suspect === undefined) throw new Error('nobody is suspected')
  expect(suspectText({ ...suspect, domain: '?' }, view.snapshot.at)).toMatch(
    /^bad, without a success since it started, fails alone: \d+ failures in a row there/,
  )
})
