// A worker with good news in its outbox that nobody asked to flush, and one that holds thousands of providers.
import { setTimeout as sleep } from 'node:timers/promises'
import { job, join, serve } from './join.mjs'

const { busbar, provider } = await join({ consistency: 'cached' })
const ok = () => 'ok'
let running = false
let calls = 0

/** Some calls each ms, until it is killed. */
async function traffic() {
  while (running) {
    for (let i = 0; i < job.extra.callsPerMs; i += 1) {
      await provider.execute(ok)
      calls += 1
    }
    await sleep(1)
  }
}

const memory = () => {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}

serve({
  start: () => {
    running = true
    void traffic()
  },
  calls: () => calls,
  /** No call is under way when this is answered: all that were made have ended. */
  stop: () => {
    running = false
    return calls
  },
  /** Registers `count` providers, so many at a time, and answers what one of them costs. */
  register: async (count) => {
    const before = memory()
    const began = performance.now()
    for (let first = 0; first < count; first += 100) {
      const ids = Array.from({ length: Math.min(100, count - first) }, (_, i) => `provider-${first + i}`)
      await Promise.all(ids.map((id) => busbar.provider(id)))
    }
    const elapsedMs = performance.now() - began
    const registered = memory()
    for (let i = 0; i < count; i += 1) await busbar.get(`provider-${i}`).execute(ok)
    await busbar.flush()
    const used = memory()
    return {
      elapsedMs,
      heapBytes: (registered.heapUsed - before.heapUsed) / count,
      usedHeapBytes: (used.heapUsed - before.heapUsed) / count,
      rssBytes: (used.rss - before.rss) / count,
    }
  },
  peek: (id) => busbar.get(id).peek(),
  admit: async (id) => {
    const { admitted, source } = await busbar.get(id).admit()
    return { admitted, source }
  },
})
