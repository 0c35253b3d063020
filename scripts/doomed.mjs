// `npm run demo:doomed [-- --svg <file>] [--processes <n>]`: one fleet of real processes calls a real provider, which
// fails all at once; first with Busbar, then with one breaker in each process. How many calls still reach it?
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startFleet } from '../bench/parts/doomed-fleet.mjs'
import { picture } from '../bench/parts/doomed-picture.mjs'

const { values } = parseArgs({
  options: { svg: { type: 'string' }, processes: { type: 'string', default: '50' } },
})
const processes = Number(values.processes)
if (!(Number.isInteger(processes) && processes >= 1 && processes <= 500)) {
  console.error(`--processes: expected 1 to 500, got ${values.processes}`)
  process.exit(64)
}

const TIMES = { healthyMs: 1_000, failingMs: 600 }
const LINE_EVERY_MS = 50
const NAMES = { busbar: 'Busbar, one circuit for the fleet', cockatiel: 'a breaker in each process' }

console.log(`Starting ${processes} processes, 20 calls a second each; the breakers open after 3 failures.`)
const fleet = await startFleet(processes)
try {
  const times = {}
  for (const guard of ['busbar', 'cockatiel']) times[guard] = await show(guard)
  const factor = times.cockatiel.length / Math.max(1, times.busbar.length)
  console.log(
    `\n${times.busbar.length} doomed calls beside ${times.cockatiel.length}: ${factor.toFixed(1)} times fewer.`,
  )
  if (values.svg !== undefined) {
    await writeFile(values.svg, await picture({ times, names: NAMES, processes, failingMs: TIMES.failingMs }))
    console.log(`The picture is in ${values.svg}.`)
  }
} finally {
  await fleet.close()
}

/** One turn, with a line every now and then. Answers when each doomed call came, ms after the failure. */
async function show(guard) {
  console.log(`\n${NAMES[guard]}: all is well`)
  let timer
  const failed = () => {
    console.log('  the provider fails')
    const began = performance.now()
    timer = setInterval(() => line(performance.now() - began), LINE_EVERY_MS)
  }
  await fleet.turn(guard, { ...TIMES, failed })
  clearInterval(timer)
  return fleet.upstream.times
}

function line(ms) {
  const { doomed } = fleet.upstream
  const bar = '#'.repeat(Math.round((doomed / processes) * 16))
  console.log(`  ${ms.toFixed(0).padStart(4)} ms  ${`${doomed}`.padStart(4)} doomed calls  ${bar}`)
}
