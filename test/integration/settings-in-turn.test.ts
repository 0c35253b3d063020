import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { HOUR, probeOf, realFleet } from '../harness/real-fleet.js'
import { startUpstream } from '../harness/http-upstream.js'
import { Leaks } from '../harness/leaks.js'

test('settings that two versions change in turn are planned by at once, and announced and logged once', async () => {
  const upstream = await startUpstream()
  const fleet = realFleet()
  const leaks = new Leaks()
  const [prober, older, newer] = [
    await fleet.join(),
    await fleet.join({ workerId: 'older', logger: leaks.logger }),
    await fleet.join({ workerId: 'newer', logger: leaks.logger }),
  ]
  await prober.startProbes()
  const provider = await older.provider('api', probeOf(upstream, HOUR))
  const every = (ms: number) =>
    eventually(async () => (await fleet.planned())['api'] === ms, `planned every ${ms} ms`)
  await every(HOUR)
  for (let turn = 0; turn < 3; turn += 1) {
    await newer.provider('api', probeOf(upstream, 2 * HOUR))
    await every(2 * HOUR)
    await older.provider('api', probeOf(upstream, HOUR))
    await every(HOUR)
  }
  const events = await provider.events({ count: 20 })
  expect(events.filter(({ kind }) => kind === 'settings_changed')).toMatchObject([{ worker: 'newer' }])
  expect(leaks.lines('settings changed')).toBe(1)
})
