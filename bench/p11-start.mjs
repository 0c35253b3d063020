// P11: what it takes to start: whole processes by turns, the quickest of each.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect } from '../dist/index.js'
import { row, startRedis } from './lib.mjs'

const TURNS = 20
const cwd = fileURLToPath(new URL('..', import.meta.url))

export async function run() {
  const server = await startRedis()
  try {
    await registerThree(server.url)
    const cli = ['bin/busbar.mjs']
    const ping = `import { Redis } from 'ioredis'
      const redis = new Redis('${server.url}'); await redis.ping(); redis.disconnect()`
    const ms = quickest({
      node: ['-e', '0'],
      ioredis: code(`import 'ioredis'`),
      busbar: code(`import './dist/index.js'`),
      version: [...cli, '--version'],
      ping: code(ping),
      status: [...cli, 'status', '--redis', server.url, '--namespace', 'p11'],
    })
    return [
      rowOf(`import 'busbar', beside import 'ioredis'`, ms.busbar, ms.ioredis, 1.25),
      rowOf('busbar --version, beside node -e 0', ms.version, ms.node, 1.5),
      rowOf('busbar status of three, beside a ping by ioredis', ms.status, ms.ping, 1.6),
    ]
  } finally {
    await server.stop()
  }
}

async function registerThree(redis) {
  const busbar = await connect({ redis, namespace: 'p11', logger: false })
  await Promise.all(['one', 'two', 'three'].map((id) => busbar.provider(id)))
  await Promise.all(['one', 'two', 'three'].map((id) => busbar.get(id)?.recordSuccess()))
  await busbar.close()
}

const code = (text) => ['--input-type=module', '-e', text]

/** Nothing but the work itself can make a process quicker: the least of many is what it takes. */
function quickest(commands) {
  const least = Object.fromEntries(Object.keys(commands).map((name) => [name, Infinity]))
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const began = performance.now()
      const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
      least[name] = Math.min(least[name], performance.now() - began)
      if (status !== 0) throw new Error(`${name} exited with ${status}: ${stderr}`)
    }
  }
  return least
}

const rowOf = (what, ours, peer, target) =>
  row('P11', what, { ours, peer, unit: 'ms', ratio: ours / peer, target })
