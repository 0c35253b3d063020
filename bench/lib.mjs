import { fork } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { startRedis } from '../dist/embedded/index.js'

/** What every benchmark shares: a private Redis, medians, rounds by turns, and processes that end with it. */

export const median = (values) => quantile(values, 0.5)

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Runs the contenders by turns, so that whatever the machine does meanwhile happens to all; medians of each. */
export async function interleaved(rounds, contenders) {
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const names = Object.keys(contenders)
    if (round % 2 === 1) names.reverse()
    for (const name of names) times[name].push(await contenders[name]())
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]))
}

/** ns of processor time per call of `work`, which runs `n` of them and waits for nobody; what else the machine does is not in it. */
export async function nsPerCall(n, work) {
  const began = process.cpuUsage()
  await work(n)
  const { user, system } = process.cpuUsage(began)
  return ((user + system) * 1e3) / n
}

export const deadline = async (condition, ms, what) => {
  const until = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`${what} did not come within ${ms} ms`)
    await pause(5)
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** ns on a clock that all processes of the machine share. */
export const sharedNow = () => Number(process.hrtime.bigint())

export { startRedis }

/** INFO's numbers of a section. */
export async function info(redis, section) {
  const text = await redis.info(section)
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}

/** Calls of scripts since the last CONFIG RESETSTAT, and the time of one, us. */
export async function scriptCalls(redis) {
  const stats = await info(redis, 'commandstats')
  const rows = ['cmdstat_evalsha', 'cmdstat_eval'].map((name) => stats[name] ?? '')
  const sum = (field) =>
    rows.reduce((total, row) => total + Number(new RegExp(`\\b${field}=([0-9.]+)`).exec(row)?.[1] ?? 0), 0)
  return { calls: sum('calls'), usec: sum('usec') }
}

/** Forks `file` in this folder with `args`; messages by IPC. It must end when its channel closes. */
export async function worker(file, args) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { stdio: 'inherit' })
  await answerOf(child)
  return child
}

/** Asks a child that called `serve`, and waits for its answer. */
export async function ask(child, what, ...args) {
  const answered = answerOf(child)
  child.send({ what, args })
  return (await answered).answer
}

/** The next message of a child; a child that ends instead is an error, not a wait for ever. */
async function answerOf(child) {
  const cancel = new globalThis.AbortController()
  const { signal } = cancel
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended (${code})`)
  })
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended])
    return message
  } finally {
    ended.catch(() => undefined)
    cancel.abort()
  }
}

/** In a child: answers what is asked, one question at a time, and ends when the channel closes. */
export function serve(actions, end) {
  process.on('message', async ({ what, args }) => process.send({ answer: await actions[what](...args) }))
  process.on('disconnect', () => end().finally(() => process.exit()))
  process.send('ready')
}

export async function endAll(children) {
  for (const child of children) if (child.connected) child.disconnect()
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)))
}

/** A row of the table. `better`: whether ours must be at most, or at least, the target. */
export function row(id, what, { ours, peer, unit, ratio, target, better = 'at most', note = '' }) {
  const met = target === undefined ? undefined : better === 'at most' ? ratio <= target : ratio >= target
  return { id, what, ours, peer, unit, ratio, target, better, met, note }
}
