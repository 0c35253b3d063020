// `npm run demo:doomed [-- --svg <file>] [--processes <n>]`: one fleet of real processes calls a real provider, which
// fails all at once; first with Busbar, then with one breaker in each process. How many calls still reach it?
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startFleet } from '../bench/parts/doomed-fleet.mjs'

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
    await writeFile(values.svg, await picture(times))
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

/** Doomed calls over time, both fleets in one picture. */
async function picture(times) {
  const { init } = await import('echarts')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 820, height: 420 })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: {
      text: 'Calls that still reach a provider after it died',
      subtext: `${processes} processes, 20 calls a second each, 3 failures open a breaker; measured with real processes`,
      left: 20,
      top: 12,
    },
    legend: { bottom: 8, itemGap: 40, icon: 'rect', itemWidth: 16, itemHeight: 6 },
    grid: { left: 64, right: 150, top: 84, bottom: 74 },
    xAxis: {
      type: 'value',
      name: 'ms after the failure',
      nameLocation: 'middle',
      nameGap: 28,
      max: TIMES.failingMs,
    },
    yAxis: { type: 'value', name: 'doomed calls so far', nameLocation: 'middle', nameGap: 44 },
    series: [
      series(NAMES.cockatiel, times.cockatiel, '#c2410c'),
      series(NAMES.busbar, times.busbar, '#0f766e'),
    ],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function series(name, times, color) {
  const points = [...times].sort((a, b) => a - b).map((ms, i) => [Number(ms.toFixed(1)), i + 1])
  return {
    name,
    type: 'line',
    step: 'end',
    showSymbol: false,
    color,
    lineStyle: { width: 3 },
    areaStyle: { opacity: 0.12 },
    data: [[0, 0], ...points, [TIMES.failingMs, points.length]],
    endLabel: { show: true, formatter: `${points.length} calls`, color, fontSize: 15, fontWeight: 'bold' },
  }
}
