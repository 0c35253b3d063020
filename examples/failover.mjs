// Two providers of one kind: while one answers 429 with Retry-After, the other takes its calls.
// Start Redis, then:
//   REDIS_URL=redis://127.0.0.1:6379 node failover.mjs
//
// Both are servers of this file, in place of two providers of a language model.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { connect } from 'busbar'

const openai = await startProvider()
const anthropic = await startProvider()
const urls = { openai: openai.url, anthropic: anthropic.url }

// A fleet of its own: other members of `llm` in this Redis would take the calls too.
const namespace = `failover-${process.pid}`
const busbar = await connect({ redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', namespace })
// Once, at the start: this registers.
await busbar.provider('openai', { group: 'llm', priority: 0 })
await busbar.provider('anthropic', { group: 'llm', priority: 1 })
const llm = busbar.group('llm')

const complete = async ({ id, signal }) => {
  const response = await fetch(urls[id], { signal })
  if (response.ok) return `${await response.text()} by ${id}`
  throw Object.assign(new Error(`HTTP ${response.status}`), {
    status: response.status,
    headers: response.headers,
  })
}
const ask = async () => {
  try {
    return await llm.execute(complete, { timeoutMs: 5_000 })
  } catch (error) {
    if (error.code !== 'group_exhausted') throw error
    return `${error.message}; ask again in ${Math.ceil(error.retryAfterMs / 1_000)} s`
  }
}

console.log(`both answer: ${await ask()}`)
openai.pause(1)
console.log(`openai asks for 1 s: ${await ask()}`)
console.log(`the next call does not reach it: ${await ask()}, after ${openai.seen()} calls of openai`)
anthropic.pause(30)
console.log(`both ask for a pause: ${await ask()}`)
openai.pause(0)
while (!llm.order()[0].admissible) await new Promise((resolve) => setTimeout(resolve, 50))
console.log(`its pause is over: ${await ask()}`)

for (const id of Object.keys(urls)) await busbar.remove(id)
await busbar.close()
for (const { close } of [openai, anthropic]) close()

/** Answers 200, or 429 while it wants to be left alone. */
async function startProvider() {
  let seconds = 0
  let seen = 0
  const server = createServer((request, response) => {
    seen += 1
    if (seconds > 0) response.writeHead(429, { 'retry-after': String(seconds) })
    response.end('a completion')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    pause: (wanted) => {
      seconds = wanted
    },
    seen: () => seen,
    close: () => server.close().closeAllConnections(),
  }
}
