// Constant traffic: a call, a short pause, the next call, from the moment it is told to start until it is told to stop, or
// killed. It counts what it saw.
import { setTimeout as sleep } from 'node:timers/promises'
import { headCount, job, join, serve } from './join.mjs'

const { provider } = await join()
const { callMs, pauseMs } = job.extra
const heads = headCount()
const seen = { calls: 0, admitted: 0, trials: 0, overlappingTrials: 0, refused: {}, errors: {} }
const count = (table, key) => {
  table[key] = (table[key] ?? 0) + 1
}
let running = false
let ended

async function call() {
  seen.calls += 1
  const decision = await provider.admit()
  if (!decision.admitted) return count(seen.refused, decision.code)
  seen.admitted += 1
  const { permit } = decision
  if (!permit.trial) return permit.settle('healthy')
  seen.trials += 1
  if ((await heads.enter()) > 1) seen.overlappingTrials += 1
  await sleep(callMs)
  await heads.leave()
  await permit.settle('healthy')
}

async function run() {
  while (running) {
    await call().catch((error) => count(seen.errors, error.code ?? String(error)))
    await sleep(pauseMs)
  }
}

serve({
  start: () => {
    running = true
    ended = run()
  },
  seen: () => seen,
  peek: () => provider.peek(),
  stop: async () => {
    running = false
    await ended
    return seen
  },
})
