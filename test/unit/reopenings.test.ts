import { expect, it, onTestFinished } from 'vitest'
import { eventRow } from '../../src/view/event-line.js'
import { explain } from '../../src/view/explain.js'
import { paintsFor } from '../../src/view/paint.js'
import { readView } from '../../src/view/provider-view.js'
import { foldReopenings } from '../../src/view/reopenings.js'
import { statusDetail } from '../../src/view/status-detail.js'
import { statusTable } from '../../src/view/status-table.js'
import { createTestBusbar } from '../../src/testing.js'

const plain = paintsFor({ isTTY: false }, {})

/** A provider that went down, and whose trials failed `times` times. */
async function setUp(times: number) {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('api', { breaker: { failureThreshold: 1, cooldownMs: 1_000 } })
  await provider.record('unhealthy', { detail: 'HTTP 503' })
  for (let i = 0; i < times; i += 1) {
    busbar.clock.advance(1_000)
    await provider.record('timeout')
  }
  return { busbar, provider, kinds: async () => foldReopenings(await provider.events()) }
}

const FIRST = '1 consecutive failures, last: unhealthy (HTTP 503)'

it('the re-openings of one outage are one line, at the last of them', async () => {
  const { busbar, provider, kinds } = await setUp(3)
  busbar.clock.advance(1_000)
  await provider.record('healthy')
  await provider.recordFailure()
  const listed = await kinds()
  expect(listed.map(({ event }) => [event.kind, event.from])).toEqual([
    ['registered', ''],
    ['opened', 'closed'],
    ['opened', 'half_open'],
    ['half_opened', 'open'],
    ['closed', 'half_open'],
    ['opened', 'closed'],
  ])
  expect(listed[2]?.reopened?.times).toBe(3)
  expect(listed[2]?.reopened?.since).toBe((listed[2]?.event.at ?? 0) - 2_000)
  expect(listed[2] && eventRow(listed[2], plain)[1]).toMatch(/^opened \(from half_open\), 3 times since /)
})

it('one alone stays as it is', async () => {
  const { kinds } = await setUp(1)
  expect((await kinds()).map(({ event }) => event.kind)).toEqual([
    'registered',
    'opened',
    'half_opened',
    'opened',
  ])
})

it('status and explain say when an outage began and why, however many trials have failed', async () => {
  const { busbar, provider } = await setUp(3)
  const view = await readView(provider)
  expect(statusTable([view], plain, {})).toContain(
    `trial failed: timeout; down for 3s (${FIRST}), 3 failed trials`,
  )
  expect(statusDetail(view, plain)).toMatch(
    /down since +\S.* \(3s\): 1 consecutive failures, last: .*; 3 failed trials/,
  )
  const sentenceOf = async (topic: string) =>
    explain(await readView(provider), await provider.events(), await provider.outages()).sentences.find(
      (sentence) => sentence.topic === topic,
    )?.text
  expect(await sentenceOf('outage')).toContain(
    `(3s ago), ${FIRST}. Since then 3 trials and 3 outcomes failed.`,
  )
  expect(await sentenceOf('before')).toBeUndefined()
  busbar.clock.advance(1_000)
  await provider.record('healthy')
  expect(await sentenceOf('outage')).toBeUndefined()
  expect(await sentenceOf('before')).toMatch(
    /^The last outage that ended was from .* \(4s\): 1 consecutive failures, last: .*; 3 failed trials, 3 failed outcomes\.$/,
  )
})
