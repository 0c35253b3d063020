// Where the soak takes place: a private Redis, a wire to it that breaks, an upstream that is probed, and workers.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { forkWorker } from '../workers/fork.mjs'
import { load } from '../probe-fleet/workers.mjs'
import { startWire } from './wire.mjs'

export const COMMAND_TIMEOUT_MS = 200
const WORKERS = 4
const CALLERS = 2
const NAMESPACE = 'soak'

/** Ways to end: those of test/harness/workers/soak.mjs, and how often. The rest is healthy. */
const traffic = (probe) => {
  const breaker = { cooldownMs: 1_000 }
  return {
    steady: { settings: { breaker }, shares: { error: 0.01 } },
    flaky: { settings: { breaker }, shares: { error: 0.35 } },
    slow: { settings: { breaker, slowMs: 20 }, shares: { slow: 0.3, hang: 0.1 } },
    limited: { settings: { breaker }, shares: { limited: 0.02 } },
    probed: { settings: { breaker, probe }, shares: { error: 0.05 } },
  }
}

/** The last of the workers is the one that dies now and then; the others live from the first moment to the last. */
export async function startSoakFleet() {
  const { startRedis } = await load('embedded/index.js')
  const dir = await mkdtemp(join(tmpdir(), 'busbar-soak-'))
  let server = await startRedis({ dir, args: PERSISTENT })
  const { port } = server
  const wire = await startWire(port)
  const admin = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  admin.on('error', () => undefined) // while Redis is away; a command waits for it
  const upstream = await startUpstream()
  const providers = traffic({ kind: 'http', url: upstream.url, intervalMs: 500, timeoutMs: 400 })
  let started = 0
  const startWorker = async () => {
    started += 1
    const job = {
      redis: wire.url,
      namespace: NAMESPACE,
      workerId: `worker-${started}`,
      id: 'steady',
      settings: providers.steady.settings,
      options: { consistency: 'cached', commandTimeoutMs: COMMAND_TIMEOUT_MS },
      source: {},
      extra: { providers, callers: CALLERS },
    }
    const worker = await forkWorker('soak', job, { execArgv: ['--expose-gc'] })
    await worker.ask('start')
    return worker
  }
  const workers = []
  /** What those saw that were replaced. */
  const retired = []
  for (let i = 0; i < WORKERS; i += 1) workers.push(await startWorker())

  return {
    workers,
    wire,
    admin,
    upstream,
    all: (action) => Promise.all(workers.map((worker) => worker.ask(action))),
    /** What all workers saw up to now, also those that were replaced. */
    seen: async () => [...retired, ...(await Promise.all(workers.map((worker) => worker.ask('seen'))))],
    get redisPid() {
      return server.pid
    },
    /** Killed, and started again at the same port with what it had written, or with nothing. */
    async restartRedis({ empty }) {
      process.kill(server.pid, 'SIGKILL')
      await server.exited
      if (empty) for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
      server = await startRedis({ port, dir, args: PERSISTENT })
    },
    async replaceWorker() {
      const last = workers.pop()
      retired.push(await last.ask('seen'))
      await last.kill()
      workers.push(await startWorker())
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()))
      admin.disconnect()
      wire.close()
      upstream.close()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const PERSISTENT = ['--appendonly', 'yes']

/** Answers probes, with a failure now and then, and counts them. */
async function startUpstream() {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    response.writeHead(requests % 20 === 0 ? 503 : 200).end('ok')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    get requests() {
      return requests
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
