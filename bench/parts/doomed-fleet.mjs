import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connect } from '../../dist/index.js'
import { ask, endAll, pause, startRedis, worker } from '../lib.mjs'

/** Processes that call a real provider, which fails all at once: how many calls still reach it? */

const ID = 'doomed'

export async function startFleet(processes) {
  const redis = await startRedis()
  const upstream = await startUpstream()
  const busbar = await connect({ redis: redis.url, logger: false })
  const provider = await busbar.provider(ID)
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  const start = () => worker('parts/doomed-worker.mjs', [redis.url, `${upstream.port}`, ID])
  const children = []
  // A few at a time: starting is the most they ever do.
  while (children.length < processes) {
    children.push(
      ...(await Promise.all(Array.from({ length: Math.min(5, processes - children.length) }, start))),
    )
  }
  const all = (what, ...args) => Promise.all(children.map((child) => ask(child, what, ...args)))
  return {
    upstream,
    busbar,
    /**
     * One turn of `guard`: healthy for a while, then the provider fails. `failed` is called at that moment. `lagMs`
     * is the longest that the provider itself had to wait for a processor meanwhile.
     */
    async turn(guard, { healthyMs, failingMs, failed = () => undefined }) {
      upstream.mend()
      await provider.reset()
      await all('begin', guard)
      await pause(healthyMs)
      lag.reset()
      upstream.fail()
      failed()
      await pause(failingMs)
      const { doomed } = upstream
      const lagMs = lag.max / 1e6
      await all('end')
      await pause(20)
      await all('flush')
      return { doomed, lagMs }
    },
    async close() {
      await endAll(children)
      await busbar.close()
      await upstream.close()
      await redis.stop()
    },
  }
}

/** A provider that answers at once: a plus, or a minus once it fails. It notes when each doomed call came. */
async function startUpstream() {
  let failing = false
  let failedAt = 0
  const times = []
  const sockets = new Set()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (calls) => {
      if (failing) for (let i = 0; i < calls.length; i += 1) times.push(performance.now() - failedAt)
      socket.write((failing ? '-' : '+').repeat(calls.length))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    get doomed() {
      return times.length
    },
    /** ms after the failure. */
    get times() {
      return [...times]
    },
    fail() {
      failing = true
      failedAt = performance.now()
    },
    mend() {
      failing = false
      times.length = 0
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
