// P7: calls that still reach a provider after it began to fail: one fleet, by turns, with Busbar and with one breaker
// per process.
import { median, row } from './lib.mjs'
import { startFleet } from './parts/doomed-fleet.mjs'

const PROCESSES = 50
const THRESHOLD = 3
const TURNS = 20
/** 20 calls a second: ten of each process before, and well over three after. */
const TIMES = { healthyMs: 500, failingMs: 450 }

export async function run() {
  const fleet = await startFleet(PROCESSES)
  try {
    const again = { turns: 0 }
    const doomed = { busbar: [], cockatiel: [] }
    for (let turn = 0; turn < TURNS; turn += 1) {
      const order = turn % 2 === 0 ? ['busbar', 'cockatiel'] : ['cockatiel', 'busbar']
      for (const guard of order) doomed[guard].push(await quietTurn(fleet, guard, again))
    }
    const [ours, peer] = [median(doomed.busbar), median(doomed.cockatiel)]
    const most = Math.max(...doomed.busbar)
    const bound = PROCESSES + THRESHOLD
    const note = again.turns > 0 ? `${again.turns} turns played again: the machine was busy elsewhere` : ''
    const what = `doomed calls, ${PROCESSES} processes`
    return [
      row('P7', `${what}, a breaker each beside Busbar`, {
        ours,
        peer,
        unit: 'calls',
        ratio: peer / ours,
        target: 5,
        better: 'at least',
        note,
      }),
      row('P7', `${what}, the most ever beside workers + threshold`, {
        ours: most,
        peer: bound,
        unit: 'calls',
        ratio: most / bound,
        target: 1,
      }),
    ]
  } finally {
    await fleet.close()
  }
}

/** Where the provider itself waited for a processor, the turn tells of the machine and not of the breakers. */
async function quietTurn(fleet, guard, again) {
  const MAX_LAG_MS = 20
  const TRIES = 5
  for (let i = 1; ; i += 1) {
    const { doomed, lagMs } = await fleet.turn(guard, TIMES)
    if (lagMs <= MAX_LAG_MS || i === TRIES) return doomed
    again.turns += 1
  }
}
