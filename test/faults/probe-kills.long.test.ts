import { describe, it } from 'vitest'
import { expectKillsCostOneProbe } from './probe-fleet-runs.js'

const KILLS = Number(process.env['BUSBAR_PROBE_KILLS'] ?? 100)
/** Of the time a kill takes, ms: its probe is awaited, and another process starts. */
const KILL_MS = 10_000

describe(`${KILLS} workers of four killed in mid-probe, and replaced`, () => {
  it(
    'cost a probe each: one an interval, no schedule lost, no result twice',
    { timeout: 60_000 + KILLS * KILL_MS },
    () => expectKillsCostOneProbe(KILLS),
  )
})

describe('workers killed in mid-probe where Redis is asked whether a probe may begin', () => {
  it('keep it waiting until their lease is over, and lose nothing', { timeout: 300_000 }, () =>
    expectKillsCostOneProbe(15, '--timeout', '500'),
  )
})
