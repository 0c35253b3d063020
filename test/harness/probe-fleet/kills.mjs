// Fault 12: a process is killed in the middle of its probe, again and again. The upstream sees the request, its worker is
// killed before the answer, another takes its place. Every answer that was read must be in the history once, and the
// probes must go on.
//
//   node test/harness/probe-fleet/kills.mjs [--kills 100] [--interval 200] [--workers 3] [--json]
//
// Needs dist/ (`npm run build`) and starts a Redis of its own.
import { parseArgs } from 'node:util'
import { eventually } from '../eventually.mjs'
import { endAll, load, startUpstream, startWorker } from './workers.mjs'

/** Longer than it takes to kill a process, shorter than the interval. */
const ANSWER_MS = 60
/** A probe whose worker died counts as under way for its time limit and this, ms. */
const PATIENCE_MS = 1_000
/** After a kill the next probe must come within this, ms: the above, and a tick that was lost is found. */
const DEADLINE_MS = 10_000
const DAY_MS = 86_400_000

const until = (condition, what) => eventually(condition, { what, timeoutMs: DEADLINE_MS, everyMs: 5 })

async function measure({ kills, interval, workers }) {
  const { startRedis } = await load('embedded/index.js')
  const { connect } = await load('index.js')
  const redis = await startRedis()
  const running = new Map()
  let started = 0
  const start = async () => {
    started += 1
    const one = await startWorker(redis.url, `worker-${started}`, { commandTimeoutMs: PATIENCE_MS })
    running.set(one.workerId, one)
  }
  let aim = false
  const victims = []
  const upstream = await startUpstream({
    answerMs: ANSWER_MS,
    seen: (request) => {
      const { worker } = request
      const victim = running.get(worker)
      if (!aim || victim === undefined) return
      aim = false
      request.killed = true
      victim.child.kill('SIGKILL')
      running.delete(worker)
      victims.push(victim)
    },
  })
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: PATIENCE_MS })
  try {
    await Promise.all(Array.from({ length: workers }, start))
    const probe = { kind: 'http', url: upstream.url, intervalMs: interval }
    const provider = await busbar.provider('upstream', { probe, history: { windowMs: DAY_MS } })
    const answered = () => upstream.requests.filter((request) => request.answered && !request.killed).length
    const silences = []
    for (let i = 1; i <= kills; i += 1) {
      aim = true
      await until(() => victims.length === i, `probe ${i} to be cut off`)
      const { length } = upstream.requests
      const at = performance.now()
      const next = until(() => upstream.requests.length > length, `the probe after kill ${i}`)
      await Promise.all([next.then(() => silences.push(performance.now() - at)), start()])
    }
    const before = answered()
    await until(() => answered() >= before + 5, 'the five probes after the last kill')
    await endAll([...running.values()])
    running.clear()
    const { historyTotal } = await provider.snapshot()
    return { kills, requests: upstream.requests.length, answered: answered(), historyTotal, silences }
  } finally {
    await endAll([...running.values()])
    await busbar.close()
    upstream.close()
    await redis.stop()
  }
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    interval: { type: 'string', default: '200' },
    workers: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const [kills, interval, workers] = [values.kills, values.interval, values.workers].map(Number)
const { silences, ...found } = await measure({ kills, interval, workers })
const longestMs = Math.round(Math.max(...silences))
const medianMs = Math.round(silences.sort((a, b) => a - b)[Math.floor(silences.length / 2)])
const passed = found.historyTotal === found.answered
if (values.json) console.log(JSON.stringify({ passed, ...found, longestMs, medianMs }))
else {
  console.log(`fault 12: ${kills} workers killed in mid-probe, interval ${interval} ms`)
  console.log(`  ${found.requests} probes reached the upstream, ${found.answered} were answered`)
  console.log(`  ${found.historyTotal} results in the history: ${passed ? 'each once' : 'NOT each once'}`)
  console.log(`  the next probe came after ${medianMs} ms (median), ${longestMs} ms (longest)`)
}
process.exitCode = passed ? 0 : 1
