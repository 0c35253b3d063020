// P8: what one process that probes can do beside bare jobs of the same queue, how evenly a large fleet of providers is
// probed, in everyday running and after all workers were gone, and how four processes share them. `BUSBAR_BENCH_SVG=<file>` also draws the second.
import { createServer } from 'node:http'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ask, endAll, interleaved, pause, row, startRedis, worker } from './lib.mjs'
import { picture } from './parts/probe-picture.mjs'

const ROUNDS = 5
const PROBING_MS = 3_000
const TARGETS = { function: 0.45, http: 0.17 }
const JOBS = 10_000

const PROVIDERS = 5_000
const INTERVAL_MS = 10_000
const MEAN = (PROVIDERS * 1_000) / INTERVAL_MS
const SECONDS = 20
const WORKERS = 4
/** Of a worker's share, at least and at most; and of the probes that are due, how many are made at least. */
const SHARES = { least: 0.15, most: 0.35, made: 0.97 }
/** Three intervals stand for ten minutes: each provider is due once, however long it was. */
const OUTAGE_MS = 30_000

export async function run() {
  const redis = await startRedis()
  const upstream = await startUpstream()
  const child = await worker('parts/probe-load.mjs', [redis.url])
  try {
    const alone = [...(await throughput(child, upstream.url)), ...(await evenness(child))]
    await endAll([child])
    return [...alone, ...(await sharing(redis.url, upstream))]
  } finally {
    await endAll([child])
    upstream.close()
    await redis.stop()
  }
}

async function throughput(child, url) {
  const rates = await interleaved(ROUNDS, {
    jobs: () => ask(child, 'jobsPerSecond', JOBS),
    function: () => ask(child, 'probesPerSecond', 'function', url, PROBING_MS),
    http: () => ask(child, 'probesPerSecond', 'http', url, PROBING_MS),
  })
  return ['function', 'http'].map((kind) =>
    row('P8', `probes of kind ${kind} beside bare BullMQ jobs, one process, 16 at once`, {
      ours: rates[kind],
      peer: rates.jobs,
      unit: '/s',
      ratio: rates[kind] / rates.jobs,
      target: TARGETS[kind],
      better: 'at least',
      note: "a probe is one script, its share of a job and of a claim, and the check itself; the rest is the client's work for them",
    }),
  )
}

async function evenness(child) {
  const probe = { kind: 'function', name: 'noop', intervalMs: INTERVAL_MS }
  await ask(child, 'join', PROVIDERS, probe)
  await ask(child, 'begin')
  await pause(1.5 * INTERVAL_MS) // each has been probed for the first time
  const usual = await startsPerSecond(child)
  await ask(child, 'halt')
  await pause(OUTAGE_MS)
  await ask(child, 'forget')
  await ask(child, 'begin')
  const after = await startsPerSecond(child)
  const svg = process.env.BUSBAR_BENCH_SVG
  if (svg !== undefined) {
    await mkdir(dirname(svg), { recursive: true })
    const subtext = `${PROVIDERS} providers every ${INTERVAL_MS / 1_000} s, one process; the outage lasted ${OUTAGE_MS / 1_000} s`
    await writeFile(svg, await picture({ mean: MEAN, usual, after, subtext }))
  }
  const peak = (what, counts, note) =>
    row('P8', `${PROVIDERS} providers, ${what}: peak starts in a second beside the mean`, {
      ours: Math.max(...counts),
      peer: MEAN,
      unit: '/s',
      ratio: Math.max(...counts) / MEAN,
      target: 2,
      note,
    })
  const made = (counts) => counts.reduce((sum, count) => sum + count, 0) / (MEAN * SECONDS)
  return [
    peak('everyday', usual, `${made(usual).toFixed(2)} of the probes that were due were made`),
    peak(
      'after an outage',
      after,
      `${OUTAGE_MS / 1_000} s for ten minutes: each provider is due once either way`,
    ),
  ]
}

/** By the upstream's own log, which knows each process by the name that its probes bear. */
async function sharing(redis, upstream) {
  const fleet = Array.from({ length: WORKERS }, () => worker('parts/probe-load.mjs', [redis]))
  const children = await Promise.all(fleet)
  try {
    const probe = { kind: 'http', url: upstream.url, intervalMs: INTERVAL_MS, timeoutMs: INTERVAL_MS / 5 }
    const namespace = await ask(children[0], 'join', PROVIDERS, probe)
    for (const child of children.slice(1)) await ask(child, 'enter', namespace)
    await Promise.all(children.map((child) => ask(child, 'begin')))
    await pause(2 * INTERVAL_MS) // each has been probed for the first time, and found its turn
    upstream.made.clear()
    const from = performance.now()
    await pause(SECONDS * 1_000)
    const seconds = (performance.now() - from) / 1_000
    return shareRows([...upstream.made.values()], seconds)
  } finally {
    await endAll(children)
  }
}

function shareRows(made, seconds) {
  const all = made.reduce((sum, count) => sum + count, 0)
  // A worker that made none is not in the log.
  const counts = made.length < WORKERS ? [...made, 0] : made
  const rates = counts.map((count) => count / seconds)
  const what = `${PROVIDERS} providers, ${WORKERS} processes`
  const note = `shares ${counts.map((count) => (count / all).toFixed(2)).join(', ')}`
  const share = (which, ours, target, better) =>
    row('P8', `${what}: probes of the ${which} beside all`, {
      ...{ ours, peer: all / seconds, unit: '/s', ratio: (ours * seconds) / all, target, better, note },
    })
  return [
    share('least busy', Math.min(...rates), SHARES.least, 'at least'),
    share('busiest', Math.max(...rates), SHARES.most, 'at most'),
    row('P8', `${what}: probes made beside those due`, {
      ...{ ours: all / seconds, peer: MEAN, unit: '/s', ratio: all / seconds / MEAN },
      ...{ target: SHARES.made, better: 'at least' },
    }),
  ]
}

/** Starts in each of the next seconds. */
async function startsPerSecond(child) {
  const from = Date.now()
  await pause(SECONDS * 1_000)
  const counts = new Array(SECONDS).fill(0)
  for (const at of await ask(child, 'starts')) {
    const second = Math.floor((at - from) / 1_000)
    if (second >= 0 && second < SECONDS) counts[second] += 1
  }
  return counts
}

/** Answers at once; `?count` how many it answered. `made`: how many of each process, by its user agent. */
async function startUpstream() {
  let count = 0
  const made = new Map()
  const server = createServer((request, response) => {
    if (request.url.endsWith('?count')) return response.end(`${count}`)
    count += 1
    const agent = request.headers['user-agent'] ?? ''
    made.set(agent, (made.get(agent) ?? 0) + 1)
    response.end('ok')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, made, close }
}
