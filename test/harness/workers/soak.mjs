// A worker of the soak (test/harness/soak/soak.mjs): it calls several providers, each of which fails in its own ways, it probes, it
// counts what it saw, and it measures itself. Started with --expose-gc.
import { existsSync, readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { job, join, serve } from './join.mjs'

/** `extra.providers`: id -> settings, and shares of the ways in which its calls end. */
const { providers, callers } = job.extra
const CALL_MS = 2
const SLOW_MS = 40
const TIMEOUT_MS = 60

const seen = { calls: 0, refused: {}, strange: {}, unhandled: 0 }
process.on('unhandledRejection', (reason) => {
  seen.unhandled += 1
  count(seen.strange, `unhandled: ${reason}`)
})
const count = (table, key) => {
  table[key] = (table[key] ?? 0) + 1
}

class Foreseen extends Error {}

/** How a call can end, by name. */
const endings = {
  healthy: () => sleep(CALL_MS),
  slow: () => sleep(SLOW_MS),
  error: async () => {
    await sleep(CALL_MS)
    throw Object.assign(new Foreseen('on purpose'), { status: 503 })
  },
  limited: () => ({ status: 429, headers: { get: () => '1' } }),
  hang: (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
}

function draw(shares) {
  let left = Math.random()
  for (const [name, share] of Object.entries(shares)) {
    left -= share
    if (left < 0) return name
  }
  return 'healthy'
}

const { busbar } = await join()
const fleet = await Promise.all(
  Object.entries(providers).map(async ([id, { settings, shares }]) => ({
    provider: await busbar.provider(id, settings),
    shares,
  })),
)
await busbar.startProbes()
const lag = monitorEventLoopDelay({ resolution: 5 })
lag.enable()
let longestWaitMs = 0
let running = false
let loops = []

/** What is measured is what Busbar adds: the time before the call begins, and the time after it has ended. */
async function call({ provider, shares }) {
  seen.calls += 1
  const began = performance.now()
  let entered
  let left
  const fn = async ({ signal }) => {
    entered = performance.now()
    try {
      return await endings[draw(shares)](signal)
    } finally {
      left = performance.now()
    }
  }
  try {
    await provider.execute(fn, { timeoutMs: TIMEOUT_MS })
  } catch (error) {
    if (error?.name === 'CallRefusedError') count(seen.refused, error.code)
    else if (!(error instanceof Foreseen) && error?.code !== 'call_timeout')
      count(seen.strange, String(error))
  }
  const ended = performance.now()
  const waits = entered === undefined ? [ended - began] : [entered - began, ended - (left ?? ended)]
  longestWaitMs = Math.max(longestWaitMs, ...waits)
}

async function loop(one) {
  while (running) {
    await call(one)
    await sleep(10 + Math.random() * 20)
  }
}

function start() {
  running = true
  loops = fleet.flatMap((one) => Array.from({ length: callers }, () => loop(one)))
}

async function stop() {
  running = false
  await Promise.all(loops)
}

/** Where decisions come from now. What was admitted for the question counts neither way. */
async function sources() {
  const all = await Promise.all(
    fleet.map(async ({ provider }) => {
      const { admitted, permit, source } = await provider.admit()
      if (admitted) await permit.settle('ignored')
      return source
    }),
  )
  return [...new Set(all)]
}

serve({
  start,
  stop,
  sources,
  seen: () => ({ ...seen, lost: busbar.counters.outcomesLost }),
  /** Since the last time it was asked: the longest wait, and the longest that this process itself stood still. */
  waited: () => {
    const found = { longestWaitMs, lagMs: lag.max / 1e6 }
    longestWaitMs = 0
    lag.reset()
    return found
  },
  /** With no call under way, so that what is left is what is kept. */
  measure: async () => {
    await stop()
    globalThis.gc()
    globalThis.gc()
    const { rss, heapUsed } = process.memoryUsage()
    const fds = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
    const found = { rss, heapUsed, handles: process.getActiveResourcesInfo().length, fds }
    start()
    return found
  },
})
