// What the acceptance runs of the probes share: processes that probe, and an upstream whose log is the judge.
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const DIST = new URL('../../../dist/', import.meta.url)
const CLOCK_OFF = new URL('../workers/clock-off.mjs', import.meta.url).href
const PROBER = fileURLToPath(new URL('prober.mjs', import.meta.url))

export const load = (file) => import(new URL(file, DIST).href)

/** The name of a worker, out of the user agent of its probes. */
const workerOf = ({ headers }) => /\((.*)\)/.exec(headers['user-agent'] ?? '')?.[1] ?? 'unknown'

/** Logs each request. `answerMs`: how long an answer takes; `seen(request)` is told at its arrival. */
export async function startUpstream({ answerMs = 0, seen = () => undefined } = {}) {
  const requests = []
  const server = createServer((incoming, response) => {
    const request = { at: performance.now(), worker: workerOf(incoming), answered: false, killed: false }
    requests.push(request)
    response.on('finish', () => (request.answered = true))
    setTimeout(() => response.destroyed || response.end('ok'), answerMs)
    seen(request)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, requests, close }
}

/**
 * `offMs`: its time of day is so far from everybody's. `count`: so many workers in the one process. `calls`: it has a function
 * named `model`, which asks this URL.
 */
export async function startWorker(redis, workerId, { offMs = 0, ...rest }) {
  const options = offMs === 0 ? {} : { execArgv: ['--import', CLOCK_OFF] }
  const env = { ...process.env, BUSBAR_TEST_CLOCK_OFF_MS: `${offMs}` }
  const child = fork(PROBER, [JSON.stringify({ redis, workerId, ...rest })], { ...options, env })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  await Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    exited.then((code) => Promise.reject(new Error(`${workerId} ended with ${code} before it was ready`))),
  ])
  return { workerId, child, exited }
}

export async function endAll(workers) {
  for (const { child } of workers) if (child.connected) child.send('end')
  await Promise.all(workers.map(({ exited }) => exited))
}
