// The acceptance run of the probes: four processes probe one upstream; half-way one of them is killed. The gaps are those
// between the moments at which Redis let probes begin, by its clock: when packets arrive depends on the machine too. The
// upstream's own log says who probed, by the user agents.
//
//   node test/harness/probe-fleet/gaps.mjs [--seconds 60] [--interval 500] [--workers 4] [--kills 1] [--timeout 500]
//     [--off 0] [--outage 0] [--wipe] [--json]
//
// `--timeout`: of a probe; default the interval. Up to 0.6 of it Redis is not asked whether a probe may begin, and the gaps are
// those between the moments at which it handed them out.
// `--off`: the first process, which is also the first to be killed, has a time of day that is so many seconds off; with
// `--off=3600,-3600` the second has the other.
// `--outage`: half-way all are killed, and as many others start so many seconds later.
// `--wipe`: half-way Redis is restarted without its data. No process is killed.
//
// Ends with 1 when two probes began within half an interval, when there was more than one gap over two intervals per
// kill, or when fewer than two processes took part. Needs dist/ (`npm run build`) and starts a Redis of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { beginningsOf, gapsOf, watchProbeDecisions } from '../probe-decisions.mjs'
import { endAll, load, startUpstream, startWorker } from './workers.mjs'

/** So many processes starting at once keep a small machine busy, and that is not what is measured. */
const PATIENCE_MS = 5_000

/** The facts that Redis is asked for: when it let probes of `upstream` begin, and its time. It may be another in between. */
async function watchRedis(options) {
  const times = []
  let redis
  let watch
  const leave = () => {
    redis?.disconnect()
    watch?.close()
    if (watch !== undefined) times.push(...beginningsOf(watch, options))
    watch = undefined
  }
  const enter = async ({ url, port }) => {
    redis = new Redis(url)
    watch = await watchProbeDecisions(port, 'busbar', 'upstream')
  }
  const now = async () => {
    const [seconds, micros] = await redis.time()
    return seconds * 1_000 + Math.floor(micros / 1_000)
  }
  return { times, now, enter, leave }
}

/** Events half-way, or from time to time. `fleet`: what there is; `wait(share)`: until so much of the time is over. */
const courses = {
  async kills({ kills }, { kill, wait }) {
    for (let i = 1; i <= kills; i += 1) {
      await wait(i / (kills + 1))
      await kill(1)
    }
  },
  async outage({ workers, outage }, { kill, start, wait }) {
    await wait(1 / 2)
    await kill(workers)
    await sleep(outage * 1_000)
    await start('-again')
  },
  async wipe(_options, { replaceRedis, wait }) {
    await wait(1 / 2)
    await replaceRedis()
  },
}

const courseOf = ({ outage, wipe }) => (wipe ? courses.wipe : outage > 0 ? courses.outage : courses.kills)

async function measure(options) {
  const { seconds, interval, timeout, workers, off, outage } = options
  const { startRedis } = await load('embedded/index.js')
  const { connect } = await load('index.js')
  let redis = await startRedis()
  const upstream = await startUpstream()
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: PATIENCE_MS })
  const watch = await watchRedis(options)
  await watch.enter(redis)
  const running = []
  const killed = []
  const start = async (suffix, offs = []) => {
    const one = (_, i) =>
      startWorker(redis.url, `worker-${i + 1}${suffix}`, {
        offMs: (offs[i] ?? 0) * 1_000,
        commandTimeoutMs: PATIENCE_MS,
      })
    running.push(...(await Promise.all(Array.from({ length: workers }, one))))
  }
  const kill = async (count) => {
    const victims = running.splice(0, count)
    for (const { child, workerId } of victims) {
      child.kill('SIGKILL')
      killed.push(workerId)
    }
    await Promise.all(victims.map(({ exited }) => exited))
  }
  const replaceRedis = async () => {
    watch.leave()
    const { port } = redis
    await redis.stop()
    redis = await startRedis({ port })
    await watch.enter(redis)
  }
  try {
    await start('', off)
    const [from, began] = [await watch.now(), performance.now()]
    const probe = { kind: 'http', url: upstream.url, intervalMs: interval, timeoutMs: timeout }
    const provider = await busbar.provider('upstream', { probe })
    const wait = (share) => sleep(began + seconds * 1_000 * share - performance.now())
    await courseOf(options)(options, { kill, start, replaceRedis, wait })
    // After an outage its second half begins.
    if (outage > 0) await sleep((seconds * 1_000) / 2)
    else await wait(1)
    const { historyTotal } = await provider.snapshot()
    const to = await watch.now()
    watch.leave()
    return { from, to, killed, historyTotal, starts: [...watch.times], requests: [...upstream.requests] }
  } finally {
    await endAll(running)
    await busbar.close()
    watch.leave()
    upstream.close()
    await redis.stop()
  }
}

/** What the decisions say. The silence before the first probe and after the last counts as a gap too. */
function judge({ from, to, killed, starts: times, requests, historyTotal }, { interval, kills }) {
  const gaps = gapsOf(times)
  const edges = times.length === 0 ? [to - from] : [times[0] - from, to - times.at(-1)]
  const shares = {}
  for (const { worker } of requests) shares[worker] = (shares[worker] ?? 0) + 1
  const short = gaps.filter((gap) => gap < interval / 2)
  const long = [...gaps, ...edges].filter((gap) => gap > 2 * interval)
  // Of each killed process one, and one that was on its way at the end.
  const lost = Math.max(0, times.length - requests.length - killed.length - 1)
  const passed = short.length === 0 && long.length <= kills && lost === 0 && Object.keys(shares).length >= 2
  return {
    passed,
    starts: times.length,
    probes: requests.length,
    historyTotal,
    shares,
    killed,
    gaps,
    short,
    long,
  }
}

function print(verdict, { interval, kills }) {
  const width = interval / 10
  const buckets = new Map()
  for (const gap of verdict.gaps) {
    const bucket = Math.floor(gap / width)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  const highest = Math.max(1, ...buckets.values())
  console.log(
    `${verdict.starts} probes begun, ${verdict.probes} came, ${verdict.historyTotal} in the history of the window; interval ${interval} ms`,
  )
  for (const [worker, count] of Object.entries(verdict.shares).sort()) {
    console.log(`  ${worker} ${count}${verdict.killed.includes(worker) ? ' (killed)' : ''}`)
  }
  console.log('ms from one beginning to the next, by the clock of Redis')
  for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
    const range = `${Math.round(bucket * width)} - ${Math.round((bucket + 1) * width)}`
    console.log(
      `  ${range.padStart(13)}  ${String(count).padStart(4)}  ${'#'.repeat(Math.ceil((40 * count) / highest))}`,
    )
  }
  const list = (gaps) =>
    gaps.length === 0 ? '' : `: ${gaps.map((gap) => `${Math.round(gap)} ms`).join(', ')}`
  console.log(`under half an interval: ${verdict.short.length} (allowed 0)${list(verdict.short)}`)
  console.log(
    `over two intervals: ${verdict.long.length} (allowed ${kills}, one per kill)${list(verdict.long)}`,
  )
  console.log(verdict.passed ? 'passed' : 'FAILED')
}

const MAY_BE_NONE = ['kills', 'outage']

function numbers({ off, ...values }) {
  const parsed = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))
  for (const [name, value] of Object.entries(parsed)) {
    if (Number.isNaN(value) || (MAY_BE_NONE.includes(name) ? value < 0 : value <= 0))
      throw new Error(`--${name}: expected a number above 0`)
  }
  if (parsed.kills >= parsed.workers)
    throw new Error('--kills must be below --workers: somebody has to go on')
  return { ...parsed, off: off.split(',').map(Number) }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      interval: { type: 'string', default: '500' },
      timeout: { type: 'string' },
      workers: { type: 'string', default: '4' },
      kills: { type: 'string', default: '1' },
      off: { type: 'string', default: '0' },
      outage: { type: 'string', default: '0' },
      wipe: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { json, wipe, timeout = values.interval, ...rest } = values
  const options = { ...numbers({ ...rest, timeout }), wipe }
  const verdict = judge(await measure(options), options)
  if (json) console.log(JSON.stringify(verdict))
  else print(verdict, options)
  process.exitCode = verdict.passed ? 0 : 1
}

await main()
