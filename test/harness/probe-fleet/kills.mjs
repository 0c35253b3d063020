// Fault 12: a process is killed in the middle of its probe, again and again. The upstream sees the request, its worker is
// killed before the answer, another takes its place.
//
//   node test/harness/probe-fleet/kills.mjs [--kills 100] [--interval 500] [--timeout 300] [--workers 4] [--json]
//
// `--timeout`: beyond 0.6 of the interval Redis is asked whether each probe may begin.
//
// Ends with 1 when probes began within half an interval, when there were more gaps over two intervals than kills, when a
// result is in the history that did not reach Redis once, when a worker recorded more than it was answered, or when an
// answer has no result. One that was killed may lack one: the answer that it had read, or was to read, when it died. A worker that
// stood still discards what it finds, and says so. Needs dist/ (`npm run build`) and starts a Redis of its own.
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { eventually } from '../eventually.mjs'
import { beginningsOf, gapsOf, watchProbeDecisions } from '../probe-decisions.mjs'
import { endAll, load, startUpstream, startWorker } from './workers.mjs'

/** Longer than it takes to kill a process, shorter than the time limit of a probe. */
const ANSWER_MS = 60
/** Where Redis is asked, a probe whose worker died counts as under way for its time limit and this, ms. */
const PATIENCE_MS = 1_000
/** After a kill the next probe must come within this, ms: the above, and a planner or a job that died with it is found. */
const DEADLINE_MS = 20_000
const DAY_MS = 86_400_000

const until = (condition, what) => eventually(condition, { what, timeoutMs: DEADLINE_MS, everyMs: 5 })

/** Kills the next process that is seen to probe. */
function huntsman(running) {
  const victims = []
  let aims = false
  const seen = (request) => {
    const victim = running.get(request.worker)
    if (!aims || victim === undefined) return
    aims = false
    request.killed = true
    victim.child.kill('SIGKILL')
    running.delete(request.worker)
    victims.push(victim)
  }
  const kill = async () => {
    const { length } = victims
    aims = true
    await until(() => victims.length > length, `probe ${length + 1} to be cut off`)
    await victims.at(-1).exited
  }
  return { victims, seen, kill }
}

async function measure({ kills, interval, timeout, workers }) {
  const { startRedis } = await load('embedded/index.js')
  const { connect } = await load('index.js')
  const redis = await startRedis()
  const raw = new Redis(redis.url)
  const watch = await watchProbeDecisions(redis.port, 'busbar', 'upstream')
  const running = new Map()
  let started = 0
  const start = async () => {
    started += 1
    const one = await startWorker(redis.url, `worker-${started}`, { commandTimeoutMs: PATIENCE_MS })
    running.set(one.workerId, one)
  }
  const { victims, seen, kill } = huntsman(running)
  const { requests, url, close } = await startUpstream({ answerMs: ANSWER_MS, seen })
  const busbar = await connect({ redis: redis.url, logger: false, commandTimeoutMs: PATIENCE_MS })
  try {
    await Promise.all(Array.from({ length: workers }, start))
    const probe = { kind: 'http', url, intervalMs: interval, timeoutMs: timeout }
    const provider = await busbar.provider('upstream', { probe, history: { windowMs: DAY_MS } })
    const silences = []
    for (let i = 1; i <= kills; i += 1) {
      await kill()
      const [{ length }, at] = [requests, performance.now()]
      const next = until(() => requests.length > length, `the probe after kill ${i}`)
      await Promise.all([next.then(() => silences.push(performance.now() - at)), start()])
    }
    const { length } = requests
    await until(() => requests.length >= length + 5, 'the five probes after the last kill')
    const lastKillAt = watch.claims.at(-5)
    await until(async () => !(await isHeld(raw, lastKillAt)), 'the jobs of the killed to be taken up')
    const planned = (await busbar.schedules()).planned.length
    await endAll([...running.values()])
    const { historyTotal } = await provider.snapshot()
    const { claims, starts, results, discards } = watch
    return {
      kills,
      victims: victims.map(({ workerId }) => workerId),
      requests,
      planned,
      historyTotal,
      silences,
      claims,
      starts,
      results,
      discards: discards.length,
    }
  } finally {
    await endAll([...running.values()])
    raw.disconnect()
    await busbar.close()
    watch.close()
    close()
    await redis.stop()
  }
}

/** Whether a job that was claimed before `at` is under way still: nobody took it up when its worker died. */
async function isHeld(redis, at) {
  const active = await redis.lrange('{busbar}:probes:active', 0, -1)
  return active.some((id) => Number(/~at(\d+)$/.exec(id)?.[1] ?? Infinity) < at)
}

function countBy(items, key) {
  const counts = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}

/**
 * Answers against results, worker by worker. A result that says `healthy` stands for an answer, and no answer for two. An answer
 * without a result is lost; but a worker that was killed may have died with one, and a worker that stood still, on a
 * busy machine, discards what it finds.
 */
function compare({ victims, requests, results, discards }) {
  const ofWorker = ({ worker }) => worker
  const answered = requests.filter((request) => request.answered && !request.killed)
  const healthy = results.filter(({ status }) => status === 'healthy')
  const [answers, good, all] = [answered, healthy, results].map((items) => countBy(items, ofWorker))
  const [doubled, cutOff] = [[], []]
  let missing = 0
  for (const worker of new Set([...Object.keys(answers), ...Object.keys(all)])) {
    const without = Math.max(0, (answers[worker] ?? 0) - (all[worker] ?? 0))
    const died = without > 0 && victims.includes(worker)
    if ((good[worker] ?? 0) > (answers[worker] ?? 0)) doubled.push(worker)
    if (died) cutOff.push(worker)
    missing += died ? without - 1 : without
  }
  const lost = Math.max(0, missing - discards)
  return { answered: answered.length, doubled, lost, cutOff, discards }
}

function judge(found, options) {
  const { kills, requests, claims, results, historyTotal, planned } = found
  const { interval } = options
  const compared = compare(found)
  const gaps = gapsOf(beginningsOf(found, options))
  const short = gaps.filter((gap) => gap < interval / 2)
  const long = gaps.filter((gap) => gap > 2 * interval)
  const once = historyTotal === results.length && compared.doubled.length + compared.lost === 0
  const passed = once && short.length === 0 && long.length <= kills && planned === 1
  const counts = { kills, probes: requests.length, claims: claims.length, results: results.length }
  return { passed, ...counts, ...compared, historyTotal, planned, short, long }
}

function print(verdict, { interval }) {
  const { kills, probes, answered, results, historyTotal, short, long, doubled, lost, cutOff, discards } =
    verdict
  const list = (items) => (items.length === 0 ? 'none' : items.join(', '))
  console.log(`fault 12: ${kills} workers killed in mid-probe, interval ${interval} ms`)
  console.log(`  ${probes} probes reached the upstream, ${answered} were answered`)
  console.log(`  ${results} results reached Redis, ${historyTotal} are in the history`)
  console.log(
    `  doubled: ${list(doubled)}; lost: ${lost}; discarded: ${discards}; died with an answer: ${list(cutOff)}`,
  )
  console.log(`  under half an interval: ${list(short)}; over two intervals: ${list(long)}`)
  console.log(
    `  the next probe came after ${verdict.medianMs} ms (median), ${verdict.longestMs} ms (longest)`,
  )
  console.log(verdict.passed ? 'passed' : 'FAILED')
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    interval: { type: 'string', default: '500' },
    timeout: { type: 'string', default: '300' },
    workers: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
})
const { json, ...rest } = values
const options = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)]))
const found = await measure(options)
const verdict = judge(found, options)
const silences = found.silences.sort((a, b) => a - b)
const [medianMs, longestMs] = [silences[Math.floor(silences.length / 2)], silences.at(-1)].map(Math.round)
if (json) console.log(JSON.stringify({ ...verdict, medianMs, longestMs }))
else print({ ...verdict, medianMs, longestMs }, options)
process.exitCode = verdict.passed ? 0 : 1
