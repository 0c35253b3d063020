// A worker that calls the members of a group over HTTP at a steady rate, and counts what its callers got.
import { setTimeout as sleep } from 'node:timers/promises'
import { job, join, serve } from './join.mjs'

const { busbar } = await join({ consistency: 'cached' })
const { members, perSecond, timeoutMs } = job.extra
for (const { id, settings } of members) await busbar.provider(id, settings)
const group = busbar.group('llm')
await group.members()

/** The fields of a response that an error of a client has. */
function withStatus(error, { status, headers }) {
  return Object.assign(error, { status, headers })
}

async function callOnce({ id, signal }) {
  const { url } = members.find((member) => member.id === id)
  const response = await fetch(url, { signal })
  await response.text()
  if (response.ok) return id
  throw withStatus(new Error(`HTTP ${response.status}`), response)
}

let running = false
let ended

async function run() {
  const seen = { calls: 0, answers: {}, errors: [] }
  const underWay = []
  const began = performance.now()
  while (running) {
    // By the time that has passed: a process that was held up catches up.
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond)
    for (; seen.calls < due; seen.calls += 1)
      underWay.push(
        group.execute(callOnce, { timeoutMs }).then(
          (id) => {
            seen.answers[id] = (seen.answers[id] ?? 0) + 1
          },
          (error) => {
            const { code, attempts, retryAfterMs } = error
            const why = attempts?.map((attempt) => ({
              id: attempt.id,
              why: attempt.code ?? String(attempt.error),
            }))
            seen.errors.push({ code, message: String(error), why, retryAfterMs })
          },
        ),
      )
    await sleep(5)
  }
  await Promise.all(underWay)
  return seen
}

serve({
  start: () => {
    running = true
    ended = run()
  },
  stop: () => {
    running = false
    return ended
  },
  order: () => group.order(),
})
