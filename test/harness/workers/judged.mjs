// Calls several providers at a steady pace, through connections of several failure domains. How each call ends is told from
// outside: well, with an error, or through a proxy that a test breaks.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectWith } from '../../../dist/connect.js'
import { job, serve } from './join.mjs'

const { domains, providers, pauseMs } = job.extra
const { redis, namespace, workerId, source } = job
const base = { redis, namespace, logger: false, commandTimeoutMs: 5_000 }
const busbars = new Map()
for (const domain of new Set(Object.values(domains)))
  busbars.set(domain, await connectWith({ ...base, workerId, failureDomain: domain }, source))

/** Of each provider: how its calls end now, and what came of them. */
const lanes = new Map()
for (const [id, { settings, fault = null, proxy, upstream }] of Object.entries(providers)) {
  const provider = await busbars.get(domains[id]).provider(id, settings)
  const seen = { calls: 0, failed: 0, refused: {}, failedSinceFault: 0 }
  lanes.set(id, { provider, fault, proxy, upstream, seen })
}

const failing = () => {
  throw Object.assign(new Error('no route'), { code: 'ECONNRESET' })
}

/** A request through an egress proxy, as a client sends it. */
const through = (proxy, upstream) =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(proxy)
    const sent = request({ host, port, path: upstream, agent: false, timeout: 2_000 }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode, headers: new Map() }))
    })
    sent
      .on('error', reject)
      .on('timeout', () => sent.destroy(new Error('no answer')))
      .end()
  })

const answer = ({ fault, proxy, upstream }) => {
  if (proxy !== undefined) return () => through(proxy, upstream)
  if (fault === 'all' || Math.random() < (fault ?? 0)) return failing
  return () => undefined
}

async function call(lane) {
  const { provider, seen } = lane
  seen.calls += 1
  try {
    const result = await provider.execute(answer(lane))
    if (result?.status >= 500) throw Object.assign(new Error(`HTTP ${result.status}`), { failed: true })
  } catch (error) {
    const refused = error.name === 'CallRefusedError'
    if (refused) seen.refused[error.code] = (seen.refused[error.code] ?? 0) + 1
    else seen.failed += 1
  }
}

let running = false
const loops = []

async function run(lane) {
  // Not all at once.
  await sleep(Math.random() * pauseMs)
  while (running) {
    await call(lane)
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}

serve({
  start: () => {
    running = true
    for (const lane of lanes.values()) loops.push(run(lane))
  },
  /** `faults`: id -> `all`, a share of calls, or null. */
  fault: (faults) => {
    for (const [id, fault] of Object.entries(faults)) if (lanes.has(id)) lanes.get(id).fault = fault
  },
  seen: () => Object.fromEntries([...lanes].map(([id, { seen }]) => [id, seen])),
  stop: async () => {
    running = false
    await Promise.all(loops)
    await Promise.all([...busbars.values()].map((busbar) => busbar.close()))
  },
})
