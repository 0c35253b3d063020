// Sends many outcomes as fast as it can, once the signal comes.
import { barrier, job, join, serve } from './join.mjs'

const OUTCOMES = ['healthy', 'healthy', 'degraded', 'unhealthy', 'timeout', 'terminated']

const { provider } = await join()
const signal = barrier(job.extra.signal)
await signal.listening

const ways = {
  record: (outcome) => provider.record(outcome),
  admit: async (outcome) => {
    const { permit } = await provider.admit()
    await permit.settle(outcome)
  },
}

serve({
  /** Asked after `burst`: messages are handled in order, so its answer means that the burst waits for the signal. */
  ready: () => true,
  burst: async (way, count) => {
    await signal.passed()
    const began = performance.now()
    const outcomes = Array.from({ length: count }, (_, i) => OUTCOMES[i % OUTCOMES.length])
    await Promise.all(outcomes.map(ways[way]))
    const sent = {}
    for (const outcome of outcomes) sent[outcome] = (sent[outcome] ?? 0) + 1
    return { sent, elapsedMs: performance.now() - began }
  },
})
