// One of many workers has the function that a provider's probes call: whether they come at their period, and all there.
//
//   node test/harness/probe-fleet/named.mjs [--workers 50] [--processes 3] [--interval 1000] [--seconds 30] [--json]
//
// The worker with the function is a process of its own; the others share the rest of the processes. Another provider, which
// any worker can probe, shows that those are at work. Ends with 1 when two claims were within half an interval, when more than
// one in ten is missing or a gap is over three intervals, when a claim brought no call, or another worker called. Needs dist/
// (`npm run build`) and starts a Redis of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { eventually } from '../eventually.mjs'
import { gapsOf, watchProbeDecisions } from '../probe-decisions.mjs'
import { endAll, load, startUpstream, startWorker } from './workers.mjs'

const PATIENCE_MS = 10_000
const OWNER = 'owner'
/** So many connections are opened one after the other, on a machine that may be busy. */
const START_MS = 120_000

/** How many workers each of the processes without the function has. */
function spread(workers, processes) {
  const [others, count] = [workers - 1, processes - 1]
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * others) / count) - Math.floor((i * others) / count),
  )
}

async function measure({ workers, processes, interval, seconds }) {
  const { startRedis } = await load('embedded/index.js')
  const { connect } = await load('index.js')
  const [redis, model, other] = await Promise.all([startRedis(), startUpstream(), startUpstream()])
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: PATIENCE_MS })
  const watch = await watchProbeDecisions(redis.port, 'busbar', 'upstream')
  const running = []
  try {
    const options = { commandTimeoutMs: PATIENCE_MS }
    const starting = [
      startWorker(redis.url, OWNER, { ...options, calls: model.url }),
      ...spread(workers, processes).map((count, i) =>
        startWorker(redis.url, `others-${i + 1}`, { ...options, count }),
      ),
    ]
    running.push(...(await Promise.all(starting)))
    const started = running.length
    const common = { intervalMs: interval, timeoutMs: interval / 2 }
    await busbar.provider('other', { probe: { kind: 'http', url: other.url, ...common } })
    await busbar.provider('upstream', { probe: { kind: 'function', name: 'model', ...common } })
    await eventually(() => model.requests.length > 0, { what: 'the first call', timeoutMs: START_MS })
    await sleep(seconds * 1_000)
    const [claims, calls] = [[...watch.claims], [...model.requests]]
    const others = new Set(other.requests.map(({ worker }) => worker)).size
    return { started, claims, calls, others }
  } finally {
    await endAll(running)
    await busbar.close()
    watch.close()
    model.close()
    other.close()
    await redis.stop()
  }
}

function judge({ claims, calls, others }, { interval, seconds }) {
  const gaps = gapsOf(claims)
  const due = Math.floor((seconds * 1_000) / interval)
  const short = gaps.filter((gap) => gap < interval / 2)
  const long = gaps.filter((gap) => gap > 3 * interval)
  const elsewhere = calls.filter(({ worker }) => worker !== OWNER).length
  // One may be on its way at the end.
  const uncalled = Math.max(0, claims.length - calls.length - 1)
  const passed =
    short.length + long.length + elsewhere + uncalled === 0 && claims.length >= 0.9 * due && others > 1
  return { passed, due, claims: claims.length, calls: calls.length, elsewhere, uncalled, short, long, others }
}

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '50' },
    processes: { type: 'string', default: '3' },
    interval: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
})
const { json, ...rest } = values
const options = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)]))
const verdict = judge(await measure(options), options)
if (json) console.log(JSON.stringify(verdict))
else {
  const { due, claims, calls, short, long, others } = verdict
  console.log(`${claims} claims and ${calls} calls, of ${due} due, by one of ${options.workers} workers`)
  console.log(`  under half an interval: ${short.length}; over three: ${long.length}`)
  console.log(`  the other provider was probed by ${others} workers`)
  console.log(verdict.passed ? 'passed' : 'FAILED')
}
process.exitCode = verdict.passed ? 0 : 1
